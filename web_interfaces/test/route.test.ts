import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRoute, parseSaleKey, saleRoute } from '../src/shared/route.ts'

const ID = '0123456789abcdef0123456789abcdef'

test('an address names a sale and back', () => {
  const key = { outlet: 1, saleId: ID }
  assert.equal(saleRoute(key), `#/sale/1/${ID}`)
  assert.deepEqual(parseRoute(saleRoute(key)), key)
})

test('other addresses name none', () => {
  for (const hash of [
    '',
    '#/',
    '#/sale/1',
    `#/sale/x/${ID}`,
    '#/sale/1/zz',
    `#/sale/1/${ID}/more`,
    `#/sale/../${ID}`,
  ]) {
    assert.equal(parseRoute(hash), null, hash)
  }
})

test('ids may be typed as UUIDs, in capitals, with blanks around', () => {
  assert.deepEqual(parseSaleKey(' 7 ', ' 01234567-89AB-CDEF-0123-456789ABCDEF '), {
    outlet: 7,
    saleId: ID,
  })
  assert.equal(parseSaleKey('7', ID.slice(1)), null)
  assert.equal(parseSaleKey('-7', ID), null)
  assert.equal(parseSaleKey('', ID), null)
})
