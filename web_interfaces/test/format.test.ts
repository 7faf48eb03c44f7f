import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  formatClock,
  formatCount,
  formatDuration,
  formatMoment,
  formatMoney,
  formatUnits,
  shorten,
} from '../src/shared/format.ts'
import { translator } from '../src/shared/i18n.ts'

const en = translator('en')

test('units have two digits after the point, in each language', () => {
  assert.equal(formatUnits(423_800, 'en'), '4,238.00')
  assert.equal(formatUnits(423_805, 'ka'), '4\u202f238,05')
  assert.equal(formatUnits(7, 'ru'), '0,07')
  assert.equal(formatUnits(0, 'en'), '0.00')
  assert.equal(formatUnits(-1, 'en'), '−0.01')
})

test('counts are grouped by three', () => {
  assert.equal(formatCount(999, 'en'), '999')
  assert.equal(formatCount(1_000, 'en'), '1,000')
  assert.equal(formatCount(1_234_567, 'ka'), '1\u202f234\u202f567')
})

test('money knows its sign and its digits', () => {
  assert.equal(formatMoney(1698, 'GEL', 'en'), '16.98\u00a0₾')
  assert.equal(formatMoney(1698, 'GEL', 'ka'), '16,98\u00a0₾')
  assert.equal(formatMoney(1698, 'JPY', 'en'), '1,698\u00a0JPY')
  assert.equal(formatMoney(1698, 'KWD', 'en'), '1.698\u00a0KWD')
})

test('the largest safe amount is not rounded', () => {
  assert.equal(formatUnits(Number.MAX_SAFE_INTEGER, 'en'), '90,071,992,547,409.91')
})

test('times are those of Tbilisi, four hours ahead', () => {
  assert.equal(formatClock(Date.parse('2026-11-21T20:05:09Z')), '00:05:09')
})

test('a moment of another day names it', () => {
  const now = Date.parse('2026-11-21T10:00:00Z')
  assert.equal(formatMoment(Date.parse('2026-11-21T09:59:58Z'), now, en), '13:59:58')
  assert.equal(formatMoment(Date.parse('2026-11-20T19:59:58Z'), now, en), '20 Nov, 23:59')
  assert.equal(formatMoment(Date.parse('2026-11-20T20:00:00Z'), now, en), '00:00:00')
  assert.equal(formatMoment(Date.parse('2025-11-21T09:59:58Z'), now, en), '21 Nov 2025, 13:59')
})

test('durations grow coarser', () => {
  const say = (ms: number) => formatDuration(ms, 'en', en)
  assert.equal(say(0), '0 ms')
  assert.equal(say(432), '432 ms')
  assert.equal(say(1_432), '1.4 s')
  assert.equal(say(9_960), '10 s')
  assert.equal(say(59_400), '59 s')
  assert.equal(say(59_600), '1 min 0 s')
  assert.equal(say(7_800_000), '2 h 10 min')
  assert.equal(say(3 * 86_400_000), '3 d 0 h')
  assert.equal(formatDuration(1_432, 'ru', translator('ru')), '1,4 с')
})

test('a hash shows its ends, a short one itself', () => {
  assert.equal(shorten('0x2bc28c9f070ebe5535a7bc0139cb5f778e9adb5f'), '0x2bc2…db5f')
  assert.equal(shorten('00000000000000000000000000000005'), '0000…0005')
  assert.equal(shorten('0x1234'), '0x1234')
})
