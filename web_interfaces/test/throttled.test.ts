import assert from 'node:assert/strict'
import { beforeEach, mock, test } from 'node:test'
import { throttled } from '../src/shared/throttled.ts'

/** Work that takes until the test ends it. */
let running: { signal: AbortSignal; done: () => void; fail: (cause: Error) => void }[] = []
const work = (signal: AbortSignal) =>
  new Promise<void>((done, fail) => running.push({ signal, done, fail }))

/** Lets promises go on, and then time. */
async function pass(ms: number) {
  await new Promise(setImmediate)
  mock.timers.tick(ms)
  await new Promise(setImmediate)
}

beforeEach(() => {
  running = []
  mock.timers.reset()
  mock.timers.enable({ apis: ['setTimeout'] })
})

test('what is asked for is done at once, and once however often it is asked for meanwhile', async () => {
  const { ask } = throttled(1_000, work)
  ask()
  assert.equal(running.length, 1)
  ask()
  ask()
  await pass(10_000)
  assert.equal(running.length, 1, 'one at a time')

  running[0]?.done()
  await pass(999)
  assert.equal(running.length, 1)
  await pass(1)
  assert.equal(running.length, 2)
  running[1]?.done()
  await pass(10_000)
  assert.equal(running.length, 2, 'nobody asked again')
})

test('who asks within the gap is served at its end, who asks later at once', async () => {
  const { ask } = throttled(1_000, work)
  ask()
  running[0]?.done()
  await pass(400)
  ask()
  assert.equal(running.length, 1)
  await pass(600)
  assert.equal(running.length, 2)
  running[1]?.done()
  await pass(1_000)
  ask()
  assert.equal(running.length, 3)
})

test('work that fails does not end it', async () => {
  const { ask } = throttled(1_000, work)
  ask()
  running[0]?.fail(new Error('no answer'))
  await pass(1_000)
  ask()
  assert.equal(running.length, 2)
})

test('what is stopped gives up its work and begins none', async () => {
  const { ask, stop } = throttled(1_000, work)
  ask()
  ask()
  stop()
  assert.equal(running[0]?.signal.aborted, true)
  running[0]?.done()
  await pass(1_000)
  ask()
  await pass(1_000)
  assert.equal(running.length, 1)
})
