import assert from 'node:assert/strict'
import { test } from 'node:test'
import { currencyDigits, formatDecimal, parseDecimal } from '../src/index.ts'
import { random } from './vectors.ts'

test('an amount is written with its currency’s digits', () => {
  assert.equal(formatDecimal(1698, 2), '16.98')
  assert.equal(formatDecimal(7, 2), '0.07')
  assert.equal(formatDecimal(0, 2), '0.00')
  assert.equal(formatDecimal(-1, 2), '−0.01')
  assert.equal(formatDecimal(1698, 0), '1698')
  assert.equal(formatDecimal(1_234_567, 3), '1234.567')
  assert.equal(formatDecimal(Number.MAX_SAFE_INTEGER, 2), '90071992547409.91')
})

test('separators are those that are asked for', () => {
  const english = { group: ',', decimal: '.' }
  const german = { group: '.', decimal: ',' }
  assert.equal(formatDecimal(423_800, 2, english), '4,238.00')
  assert.equal(formatDecimal(123_456_789, 2, german), '1.234.567,89')
  assert.equal(formatDecimal(999, 0, english), '999')
  assert.equal(formatDecimal(-1_000, 0, english), '−1,000')
})

test('exactly an amount is read, and nothing else', () => {
  assert.equal(parseDecimal('16.98', 2), 1698)
  assert.equal(parseDecimal('16.9', 2), 1690)
  assert.equal(parseDecimal('16', 2), 1600)
  assert.equal(parseDecimal('0.07', 2), 7)
  assert.equal(parseDecimal('007', 0), 7)
  assert.equal(parseDecimal('90071992547409.91', 2), Number.MAX_SAFE_INTEGER)
  for (const text of [
    '9.0000',
    '',
    ' ',
    '.',
    '.5',
    '5.',
    '-1',
    '−1',
    '+1',
    '1,5',
    '1 000',
    '1e3',
    '0x10',
    ' 1',
    '1\n',
    '١',
    '90071992547409.92',
    '9'.repeat(400),
  ]) {
    assert.equal(parseDecimal(text, 2), null, JSON.stringify(text))
  }
  assert.equal(parseDecimal('5.0', 0), null, 'a currency without digits has no point')
})

test('what is written is read again', () => {
  const below = random(3)
  for (let round = 0; round < 2_000; round++) {
    const digits = below(5)
    const amount = Math.floor(below(2 ** 32) * 2 ** below(21))
    const text = formatDecimal(amount, digits)
    assert.equal(parseDecimal(text, digits), amount, text)
    assert.equal(parseDecimal(`${text}${digits === 0 ? '.' : ''}0`, digits), null)
  }
})

test('currencies have their digits, and two where nothing else is known', () => {
  const digits = ['GEL', 'EUR', 'JPY', 'VND', 'KWD', 'IQD', 'CLF', 'XXX'].map(currencyDigits)
  assert.deepEqual(digits, [2, 2, 0, 0, 3, 3, 4, 2])
  for (const none of ['', 'toString', 'constructor', 'JPY KRW'])
    assert.equal(currencyDigits(none), 2)
})
