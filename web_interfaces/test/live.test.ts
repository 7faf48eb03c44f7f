import assert from 'node:assert/strict'
import { beforeEach, mock, test } from 'node:test'
import { follow, type Live, type LiveEvent } from '../src/shared/live.ts'
import type { StreamState } from '../src/shared/stream.ts'
import { Played } from './browser.ts'

Object.assign(globalThis, { EventSource: Played })

let live: Live
let heard: LiveEvent[] = []
let states: StreamState[] = []
const source = () => Played.all.at(-1) as Played
const names = () => heard.map((event) => event.name)

/** A tick of many seconds would let every timer see its end. */
function pass(seconds: number) {
  for (let second = 0; second < seconds; second++) mock.timers.tick(1_000)
}

beforeEach(() => {
  Played.all = []
  heard = []
  states = []
  mock.timers.reset()
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] })
  live = follow('/api/v1/events')
  live.subscribe((event) => heard.push(event))
  live.subscribeState(() => states.push(live.state()))
})

test('what happens on either chain is told as it comes', () => {
  assert.equal(source().url, '/api/v1/events')
  assert.equal(live.state(), 'connecting')
  source().onopen?.()
  source().send('blocks', '1', '{"from": 5, "to": 6}')
  source().send('evm', '2', 'broken')
  source().send('reverted', '3', '{}')
  source().send('reset', '4', '{}')
  assert.deepEqual(heard, [
    { name: 'open' },
    { name: 'blocks', data: { from: 5, to: 6 } },
    { name: 'evm', data: null },
    { name: 'reverted', data: {} },
    { name: 'reset', data: {} },
  ])
  assert.deepEqual(states, ['open'])
  live.close()
})

test('while nothing is heard it is time to ask every five seconds', () => {
  source().onopen?.()
  pass(4)
  source().send('blocks', '1', '{}')
  pass(4)
  assert.deepEqual(names(), ['open', 'blocks'])
  pass(1)
  assert.deepEqual(names(), ['open', 'blocks', 'poll'])
  pass(10)
  assert.deepEqual(names(), ['open', 'blocks', 'poll', 'poll', 'poll'])
  live.close()
})

test('a lost stream goes on where it was, and says that it is open again', () => {
  source().onopen?.()
  source().send('evm', '812', '{}')
  source().onerror?.()
  assert.equal(live.state(), 'waiting')
  pass(2)
  assert.equal(source().url, '/api/v1/events?last_event_id=812')
  source().onopen?.()
  assert.deepEqual(states, ['open', 'waiting', 'connecting', 'open'])
  assert.deepEqual(names(), ['open', 'evm', 'open'])
  live.close()
})

test('who listens no more hears nothing, and the others do', () => {
  const other: LiveEvent[] = []
  const leave = live.subscribe((event) => other.push(event))
  source().send('reset', '1', '{}')
  leave()
  source().send('reset', '2', '{}')
  assert.equal(other.length, 1)
  assert.equal(heard.length, 2)
  live.close()
})

test('what is closed asks for nothing any more', () => {
  source().onopen?.()
  live.close()
  pass(60)
  assert.equal(source().closed, true)
  assert.equal(Played.all.length, 1)
  assert.deepEqual(heard, [{ name: 'open' }])
})
