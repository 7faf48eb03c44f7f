import assert from 'node:assert/strict'
import { beforeEach, mock, test } from 'node:test'
import { openStream, resumeUrl, retryDelayMs, type StreamState } from '../src/shared/stream.ts'
import { Played } from './browser.ts'

let heard: [string, unknown][] = []
let states: StreamState[] = []

function start() {
  return openStream({
    url: '/events',
    events: ['blocks', 'evm'],
    onEvent: (name, data) => heard.push([name, data]),
    onState: (state) => states.push(state),
    connect: (url) => new Played(url),
    random: () => 0,
  })
}

beforeEach(() => {
  Played.all = []
  heard = []
  states = []
  mock.timers.reset()
  mock.timers.enable({ apis: ['setTimeout'] })
})

test('a first stream starts now, a lost one continues after the last id', () => {
  const close = start()
  assert.equal(Played.all[0]?.url, '/events')
  Played.all[0]?.onopen?.()
  Played.all[0]?.send('blocks', '812', '{"to": 120}')
  Played.all[0]?.onerror?.()
  assert.equal(Played.all[0]?.closed, true)
  mock.timers.tick(999)
  assert.equal(Played.all.length, 1)
  mock.timers.tick(1)
  assert.equal(Played.all[1]?.url, '/events?last_event_id=812')
  assert.deepEqual(heard, [['blocks', { to: 120 }]])
  assert.deepEqual(states, ['connecting', 'open', 'waiting', 'connecting'])
  close()
})

test('each failure waits longer, a success forgets them', () => {
  const close = start()
  for (const delay of [1_000, 2_000, 4_000]) {
    Played.all.at(-1)?.onerror?.()
    const before = Played.all.length
    mock.timers.tick(delay - 1)
    assert.equal(Played.all.length, before)
    mock.timers.tick(1)
    assert.equal(Played.all.length, before + 1)
  }
  Played.all.at(-1)?.onopen?.()
  Played.all.at(-1)?.onerror?.()
  mock.timers.tick(1_000)
  assert.equal(Played.all.length, 5)
  close()
})

test('a stream that stays silent is opened again', () => {
  const close = start()
  Played.all[0]?.onopen?.()
  mock.timers.tick(44_000)
  Played.all[0]?.send('evm', '9', '{}')
  mock.timers.tick(44_999)
  assert.equal(Played.all[0]?.closed, false)
  mock.timers.tick(1)
  assert.equal(Played.all[0]?.closed, true)
  mock.timers.tick(1_000)
  assert.equal(Played.all[1]?.url, '/events?last_event_id=9')
  close()
})

test('an event that cannot be read is passed on as null', () => {
  const close = start()
  Played.all[0]?.send('evm', '10', '{"from": ')
  assert.deepEqual(heard, [['evm', null]])
  close()
})

test('a closed stream stays closed', () => {
  const close = start()
  Played.all[0]?.onerror?.()
  close()
  mock.timers.tick(60_000)
  assert.equal(Played.all.length, 1)
})

test('delays are bounded, and chance only shortens them', () => {
  assert.equal(retryDelayMs(1, 0), 1_000)
  assert.equal(retryDelayMs(30, 0), 15_000)
  assert.equal(retryDelayMs(30, 1), 11_250)
})

test('an id is escaped', () => {
  assert.equal(resumeUrl('/events', ''), '/events')
  assert.equal(resumeUrl('/events', 'a&b'), '/events?last_event_id=a%26b')
})
