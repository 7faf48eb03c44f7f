import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ArrowOverview, AsOf, NetworkOverview, SupplyOverview } from 'hotpot-client'
import {
  ageMs,
  arrowAgeMs,
  arrowsBehind,
  blocksBehind,
  difference,
  mirroredMs,
} from '../src/shared/freshness.ts'

const asOf: AsOf = {
  at: '2026-11-21T10:00:00.500Z',
  height: 120,
  block_time: '2026-11-21T09:59:57Z',
  evm_block: 431,
  evm_block_time: '2026-11-21T09:59:59Z',
  evm_finalized_block: 423,
}

test('figures are as old as the newest block they hold', () => {
  assert.equal(mirroredMs(asOf), Date.parse('2026-11-21T09:59:59Z'))
  assert.equal(ageMs(asOf, 1_000, 1_000), 1_500)
  assert.equal(ageMs(asOf, 1_000, 9_000), 9_500)
})

test('this machine’s clock may be wrong by any amount', () => {
  assert.equal(ageMs(asOf, 0, 0), 1_500)
})

test('a mirror that stands still is old although it answers now', () => {
  assert.equal(ageMs({ ...asOf, at: '2026-11-21T10:05:00Z' }, 5_000, 5_000), 301_000)
})

test('a block from the future, or none at all, makes figures no younger than their answer', () => {
  assert.equal(mirroredMs({ ...asOf, evm_block_time: '2026-11-21T11:00:00Z' }), Date.parse(asOf.at))
  assert.equal(mirroredMs({ ...asOf, block_time: null, evm_block_time: null }), Date.parse(asOf.at))
})

const network = (height: number, evm: number): NetworkOverview =>
  ({ sidechain: { height }, evm: { block: evm }, as_of: asOf }) as unknown as NetworkOverview

test('the mirror is in step up to ten blocks, then behind by those it lacks', () => {
  assert.equal(blocksBehind(network(130, 441)), 0)
  assert.equal(blocksBehind(network(131, 431)), 11)
  assert.equal(blocksBehind(network(120, 451)), 20)
  assert.equal(blocksBehind({ ...network(0, 0), sidechain: null }), null)
})

const fresh: ArrowOverview = { arrow: 'nodes_to_gateway', state: 'in_step', age_s: 2 }
const old: ArrowOverview = { arrow: 'evm_to_indexer', state: 'away', age_s: null }

test('what came along an arrow grows older while this page waits for an answer', () => {
  assert.equal(arrowAgeMs(fresh, 1_000, 4_000), 5_000)
  assert.equal(arrowAgeMs(fresh, 4_000, 1_000), 2_000)
  assert.equal(arrowAgeMs(old, 0, 0), null)
})

test('the arrows along which less comes than should are named', () => {
  const arrows = [fresh, old]
  assert.deepEqual(arrowsBehind({ ...network(0, 0), arrows }), ['evm_to_indexer'])
})

const supply: SupplyOverview = {
  height: 120,
  issued: 6100,
  reversed: 0,
  released: 4238,
  pending: 0,
  unclaimed: 1862,
  pool: 0,
  debt: 0,
  bonded: 0,
  slashed: 0,
  sales: 60,
  minted: 4238,
  minted_final: 4238,
  to_mint: 0,
  holders: 8,
  as_of: asOf,
}

test('the difference is zero when every unit is somewhere', () => {
  assert.equal(difference(supply), 0)
  assert.equal(difference({ ...supply, unclaimed: 1861 }), 1)
  assert.equal(difference({ ...supply, released: 4239 }), -1)
})

test('a refund of released units is balanced by debt, of pending ones by less pending', () => {
  assert.equal(difference({ ...supply, reversed: 51, debt: 51 }), 0)
  assert.equal(difference({ ...supply, reversed: 49, unclaimed: 1862 - 49 }), 0)
})
