import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AsOf, BlocksEvent, EvmEvent } from 'hotpot-client'
import type { LoadPage } from '../src/shared/api.ts'
import { firstPages, mayChange, rowsWith } from '../src/video_management_dashboard/pages.ts'

interface Row {
  cid: string
}

const asOf = {} as AsOf
const { signal } = new AbortController()
const keyOf = (row: Row) => row.cid
const pageOf = (cids: string[], cursor: string | null) => ({
  data: cids.map((cid) => ({ cid })),
  next_cursor: cursor,
  has_more: cursor !== null,
  as_of: asOf,
})

/** A list of so many rows, which notes what it was asked for. */
function listOf(count: number): { load: LoadPage<Row>; asked: string[] } {
  const asked: string[] = []
  const load: LoadPage<Row> = async ({ limit, cursor = '0' }, given) => {
    assert.equal(given, signal)
    asked.push(`${cursor}+${limit}`)
    const end = Math.min(Number(cursor) + limit, count)
    const cids = Array.from({ length: end - Number(cursor) }, (_, i) => String(Number(cursor) + i))
    return pageOf(cids, end < count ? String(end) : null)
  }
  return { load, asked }
}

test('pages are put below each other, without a row twice', () => {
  const first = rowsWith(null, pageOf(['c', 'b'], '2.0'), keyOf)
  const both = rowsWith(first, pageOf(['b', 'a'], null), keyOf)
  assert.deepEqual(both.rows.map(keyOf), ['c', 'b', 'a'])
  assert.equal(first.cursor, '2.0')
  assert.equal(both.cursor, null)
  assert.equal(both.page, first.page, 'figures are as of the first page')
})

test('a list is asked for again as far as it was shown', async () => {
  for (const [listed, asks, rows] of [
    [0, ['0+20'], 20],
    [20, ['0+20'], 20],
    [60, ['0+60'], 60],
    [250, ['0+100', '100+100', '200+100'], 300],
    [500, ['0+100', '100+100', '200+100', '300+100', '400+100'], 500],
    [501, ['0+20'], 20],
  ] as const) {
    const { load, asked } = listOf(1_000)
    const found = await firstPages(load, keyOf, listed, signal)
    assert.deepEqual(asked, asks)
    assert.equal(found.rows.length, rows)
    assert.equal(found.cursor, String(rows))
  }
})

test('a list that has become shorter ends where it ends', async () => {
  const { load, asked } = listOf(130)
  const found = await firstPages(load, keyOf, 300, signal)
  assert.deepEqual(asked, ['0+100', '100+100'])
  assert.equal(found.rows.length, 130)
  assert.equal(found.cursor, null)
})

test('a list is asked for again only after what may have changed it', () => {
  const blocks = (transactions: number) => ({ transactions }) as BlocksEvent
  const evm = (checkpoints: unknown[]) => ({ checkpoints }) as EvmEvent
  assert.equal(mayChange({ name: 'blocks', data: blocks(0) }), false)
  assert.equal(mayChange({ name: 'blocks', data: blocks(1) }), true)
  assert.equal(mayChange({ name: 'blocks', data: null }), true)
  assert.equal(mayChange({ name: 'evm', data: evm([]) }), false)
  assert.equal(mayChange({ name: 'evm', data: evm([{}]) }), true)
  assert.equal(mayChange({ name: 'evm', data: null }), true)
  for (const name of ['reverted', 'reset', 'open', 'poll'] as const)
    assert.equal(mayChange({ name }), true)
})
