import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PageAsOfSaleRow, SaleRow } from 'hotpot-client'
import { type FeedRows, withNewest, withOlder } from '../src/shared/feed.ts'

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
