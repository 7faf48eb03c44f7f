import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cidBytes } from '../src/index.ts'
import { random, read } from './vectors.ts'

const GOOD = 'bafkreiheit3zw2t6q226lf2m3j6kzmpejt2bj73xthooheqekq2bwybkm4'
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

/** Base32 as RFC 4648 has it, by the book: the bits in one long number. */
function textOf(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const letters = bits.padEnd(Math.ceil(bits.length / 5) * 5, '0').match(/.{5}/g) ?? []
  return `b${letters.map((five) => ALPHABET[Number.parseInt(five, 2)]).join('')}`
}

test('content ids have their bytes, as the ledger encodes them', () => {
  const { recordings } = read<{ recordings: { entry: { cid: string }; encoded: string }[] }>(
    'recordings',
  )
  assert.ok(recordings.length > 0)
  for (const { entry, encoded } of recordings) {
    const bytes = cidBytes(entry.cid)
    assert.equal(bytes?.length, 74)
    assert.ok(encoded.includes((bytes ?? '').slice(2)))
  }
})

test('what is none has none', () => {
  for (const bad of [
    '',
    'b',
    GOOD.slice(0, -1),
    `${GOOD}a`,
    GOOD.toUpperCase(),
    `z${GOOD.slice(1)}`,
    GOOD.replace('bafk', 'bbfk'),
    `${GOOD.slice(0, -1)}5`,
    'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG',
  ]) {
    assert.equal(cidBytes(bad), null, bad)
  }
})

test('any 32 bytes under either codec come back, and under another one do not', () => {
  const below = random(1)
  for (let round = 0; round < 200; round++) {
    const digest = Array.from({ length: 32 }, () => below(256))
    for (const codec of [0x55, 0x70]) {
      const bytes = Uint8Array.of(0x01, codec, 0x12, 0x20, ...digest)
      assert.equal(cidBytes(textOf(bytes)), `0x${Buffer.from(bytes).toString('hex')}`)
    }
    assert.equal(cidBytes(textOf(Uint8Array.of(0x01, 0x71, 0x12, 0x20, ...digest))), null)
    assert.equal(cidBytes(textOf(Uint8Array.of(0x01, 0x55, 0x13, 0x20, ...digest))), null)
  }
})
