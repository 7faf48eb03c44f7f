import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Checkpoint, Offence } from '../src/index.ts'
import { offenceBytes } from '../src/offence.ts'
import { random, vectorOf } from './vectors.ts'

/** So many bytes of this value. */
const bytes = (value: string, count: number) => value.repeat(count)
const [first, second] = [`0x${bytes('11', 65)}`, `0x${bytes('22', 65)}`]

test('two votes are the bytes of the ledger’s vector', () => {
  const { encoded, transaction } = vectorOf('evidence')
  const offence = offenceBytes(transaction.offence).slice(2)
  const offender = transaction.offender.slice(2)
  assert.equal(encoded, `0x0e${offender}${offence}${encoded.slice(-130)}`)
})

test('two votes: kind, step, height, round, and both with a hash or nil', () => {
  const offence: Offence = {
    kind: 'double_vote',
    step: 'prevote',
    height: 258,
    round: 1,
    first: { block_hash: `0x${bytes('aa', 32)}`, signature: first },
    second: { signature: second },
  }
  const expected = [
    '00',
    '01',
    '0201000000000000',
    '0100000000000000',
    `01${bytes('aa', 32)}${bytes('11', 65)}`,
    `00${bytes('22', 65)}`,
  ]
  assert.equal(offenceBytes(offence), `0x${expected.join('')}`)
  const withNull = { ...offence, second: { block_hash: null, signature: second } }
  assert.equal(offenceBytes(withNull), offenceBytes(offence), 'nil may be null or absent')
  const precommit = offenceBytes({ ...offence, step: 'precommit' })
  assert.equal(precommit, `0x00${'02'}${offenceBytes(offence).slice(6)}`)
})

test('two proposals: kind, height, round, and both with the round of their polka', () => {
  const offence: Offence = {
    kind: 'double_proposal',
    height: 5,
    round: 2,
    first: { pol_round: -1, block_hash: `0x${bytes('aa', 32)}`, signature: first },
    second: { pol_round: 1, block_hash: `0x${bytes('bb', 32)}`, signature: second },
  }
  const expected = [
    '01',
    '0500000000000000',
    '0200000000000000',
    `ffffffffffffffff${bytes('aa', 32)}${bytes('11', 65)}`,
    `0100000000000000${bytes('bb', 32)}${bytes('22', 65)}`,
  ]
  assert.equal(offenceBytes(offence), `0x${expected.join('')}`)
})

test('two checkpoints: kind, anchor, and both with all their fields', () => {
  const checkpoint: Checkpoint = {
    sidechain_id: `0x${bytes('b3', 32)}`,
    epoch: 3,
    first_height: 256,
    last_height: 65_536,
    blocks_root: `0x${bytes('01', 32)}`,
    state_root: `0x${bytes('02', 32)}`,
    payout_root: `0x${bytes('03', 32)}`,
    recordings_root: `0x${bytes('04', 32)}`,
    total_released: Number.MAX_SAFE_INTEGER,
    next_validators_hash: `0x${bytes('05', 32)}`,
  }
  const other = { ...checkpoint, payout_root: `0x${bytes('06', 32)}` }
  const fields = (payoutRoot: string) => [
    bytes('b3', 32),
    '0300000000000000',
    '0001000000000000',
    '0000010000000000',
    bytes('01', 32),
    bytes('02', 32),
    bytes(payoutRoot, 32),
    bytes('04', 32),
    'ffffffffffff1f000000000000000000',
    bytes('05', 32),
  ]
  const expected = [
    '02',
    bytes('a1', 20),
    ...[...fields('03'), bytes('11', 65)],
    ...[...fields('06'), bytes('22', 65)],
  ]
  const offence: Offence = {
    kind: 'double_checkpoint',
    anchor: `0x${bytes('a1', 20)}`,
    first: { checkpoint, signature: first },
    second: { checkpoint: other, signature: second },
  }
  assert.equal(offenceBytes(offence), `0x${expected.join('')}`)
})

test('numbers are what a DataView writes, little-endian', () => {
  const below = random(2)
  for (let round = 0; round < 200; round++) {
    const height = below(2 ** 32) * 2 ** 21 + below(2 ** 21)
    const polRound = below(1_000) - 1
    const view = new DataView(new ArrayBuffer(16))
    view.setBigUint64(0, BigInt(height), true)
    view.setBigInt64(8, BigInt(polRound), true)
    const proposal = { pol_round: 0, block_hash: bytes('aa', 32), signature: bytes('11', 65) }
    const offence = { kind: 'double_proposal' as const, first: proposal, second: proposal }
    const written = offenceBytes({ ...offence, height, round: polRound }).slice(4, 36)
    assert.equal(written, Buffer.from(view.buffer).toString('hex'))
  }
})
