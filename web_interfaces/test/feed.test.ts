import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BlocksEvent, EvmEvent, PageAsOfSaleRow, SaleRow } from 'hotpot-client'
import {
  changesRows,
  type FeedRows,
  firstPages,
  listsAll,
  salesOf,
  withNewest,
  withOlder,
} from '../src/shared/feed.ts'

const row = (id: string, anchored = false): SaleRow =>
  ({ outlet: 1, sale_id: id, anchored }) as SaleRow
const feed = (...ids: string[]): FeedRows => ({ rows: ids.map((id) => row(id)), cursor: '3.0' })
const ids = (state: FeedRows) => state.rows.map((one) => one.sale_id)

test('newer sales come on top, in their order', () => {
  assert.deepEqual(ids(withNewest(feed('b', 'a'), [row('d'), row('c')])), ['d', 'c', 'b', 'a'])
})

test('a sale that is listed already takes its new figures in its old place', () => {
  const state = withNewest(feed('c', 'b', 'a'), [row('b', true)])
  assert.deepEqual(ids(state), ['c', 'b', 'a'])
  assert.deepEqual(
    state.rows.map((one) => one.anchored),
    [false, true, false],
  )
})

test('the same id at another outlet is another sale', () => {
  assert.equal(withNewest(feed('a'), [{ ...row('a'), outlet: 2 }]).rows.length, 2)
})

test('an older page goes below, without repeating, and ends the list when nothing follows', () => {
  const page = { data: [row('a'), row('z')], next_cursor: '1.0', has_more: true } as PageAsOfSaleRow
  const more = withOlder(feed('b', 'a'), page)
  assert.deepEqual(ids(more), ['b', 'a', 'z'])
  assert.equal(more.cursor, '1.0')
  assert.equal(withOlder(more, { ...page, data: [], has_more: false }).cursor, null)
})

test('blocks whose sales do not all fit into their event leave a hole', () => {
  const event = (sales: number, listed: number) =>
    ({ sales, latest: Array.from({ length: listed }, (_, i) => row(String(i))) }) as BlocksEvent
  assert.equal(listsAll(event(0, 0)), true)
  assert.equal(listsAll(event(20, 20)), true)
  assert.equal(listsAll(event(21, 20)), false)
  assert.equal(salesOf({ name: 'blocks', data: event(21, 20) }), 21)
  assert.equal(salesOf({ name: 'blocks', data: null }), 0)
  assert.equal(salesOf({ name: 'reset' }), 0)
})

test('only a block of the EVM without a checkpoint changes no sale', () => {
  const evm = (checkpoints: unknown[]) => ({ checkpoints }) as EvmEvent
  assert.equal(changesRows({ name: 'evm', data: evm([]) }), false)
  assert.equal(changesRows({ name: 'evm', data: evm([{}]) }), true)
  assert.equal(changesRows({ name: 'evm', data: null }), true)
  for (const name of ['reverted', 'reset', 'open', 'poll'] as const)
    assert.equal(changesRows({ name }), true)
})

test('the list is asked for again as far as it was shown, or anew when it grew too long', async () => {
  const { signal } = new AbortController()
  for (const [listed, asks, rows] of [
    [0, ['0+20'], 20],
    [45, ['0+45'], 45],
    [150, ['0+100', '100+100'], 200],
    [501, ['0+100'], 100],
  ] as const) {
    const asked: string[] = []
    const found = await firstPages(
      async ({ limit, cursor = '0' }) => {
        asked.push(`${cursor}+${limit}`)
        const end = Number(cursor) + limit
        const data = Array.from({ length: limit }, (_, i) => row(String(Number(cursor) + i)))
        return { data, next_cursor: String(end), has_more: true, as_of: {} } as PageAsOfSaleRow
      },
      listed,
      signal,
    )
    assert.deepEqual(asked, asks)
    assert.equal(found.rows.length, rows)
    assert.equal(found.cursor, String(rows))
  }
})
