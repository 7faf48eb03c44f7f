import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatTime, parseTime } from '../src/index.ts'
import { random } from './vectors.ts'

const NOON = Date.UTC(2026, 10, 20, 12)

test('a moment is read in every form of RFC 3339', () => {
  for (const text of [
    '2026-11-20T12:00:00Z',
    '2026-11-20t12:00:00z',
    '2026-11-20T12:00:00.000Z',
    '2026-11-20T12:00:00.0009999Z',
    '2026-11-20T16:00:00+04:00',
    '2026-11-20T08:30:00-03:30',
  ]) {
    assert.equal(parseTime(text), NOON, text)
  }
  assert.equal(parseTime('2026-11-20T12:00:00.5Z'), NOON + 500)
  assert.equal(parseTime('2024-02-29T00:00:00Z'), Date.UTC(2024, 1, 29))
})

test('what is no moment is none', () => {
  for (const text of [
    null,
    undefined,
    '',
    '2026-11-20',
    '2026-11-20T12:00:00',
    '2026-11-20 12:00:00Z',
    '2026-11-20T12:00Z',
    '2026-11-20T12:00:00.Z',
    '2026-11-20T24:00:00Z',
    '2026-11-20T12:60:00Z',
    '2026-11-20T12:00:61Z',
    '2026-11-20T12:00:00+24:00',
    '2026-11-20T12:00:00+0400',
    '2026-13-01T12:00:00Z',
    '2026-00-01T12:00:00Z',
    '2026-02-29T12:00:00Z',
    '2026-02-30T12:00:00Z',
    '2026-04-31T12:00:00Z',
    ' 2026-11-20T12:00:00Z',
    '2026-11-20T12:00:00Z\n',
    '1700000000000',
  ]) {
    assert.equal(parseTime(text), null, String(text))
  }
})

test('what is written is read again', () => {
  const below = random(4)
  for (let round = 0; round < 2_000; round++) {
    const ms = below(2 ** 32) * 1_000 + below(1_000)
    assert.match(formatTime(ms), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.equal(parseTime(formatTime(ms)), ms)
  }
})
