/** The list of sales, as pages and events build it. Pure. */
import type { BlocksEvent, SaleRow } from 'hotpot-client'
import { type LoadPage, type PageOf, pageAfter } from './api.ts'
import type { LiveEvent } from './live.ts'

export interface FeedRows {
  rows: SaleRow[]
  cursor: string | null
}

export const PAGE = 20
const PAGE_MAX = 100
/** So that a page left open all day stays small; older ones are a click away. */
export const ROWS_MAX = 500

export function keyOf(sale: Pick<SaleRow, 'outlet' | 'sale_id'>): string {
  return `${sale.outlet}/${sale.sale_id}`
}

/** Newer sales on top; one that is listed already takes its new figures and stays where it is. */
export function withNewest(feed: FeedRows, newest: readonly SaleRow[]): FeedRows {
  const known = new Map(feed.rows.map((row) => [keyOf(row), row]))
  const fresh = newest.filter((row) => !known.has(keyOf(row)))
  for (const row of newest) known.set(keyOf(row), row)
  const kept = feed.rows.map((row) => known.get(keyOf(row)) ?? row)
  return { ...feed, rows: [...fresh, ...kept] }
}

/** The next page below. */
export function withOlder(feed: FeedRows, page: PageOf<SaleRow>): FeedRows {
  const known = new Set(feed.rows.map(keyOf))
  return {
    rows: [...feed.rows, ...page.data.filter((row) => !known.has(keyOf(row)))],
    cursor: cursorOf(page),
  }
}

export function cursorOf(page: PageOf<SaleRow>): string | null {
  return page.has_more ? page.next_cursor : null
}

/** Whether the event carries every sale of its blocks; else there would be a hole in the list. */
export function listsAll(data: BlocksEvent): boolean {
  return data.latest.length >= data.sales
}

/** How many sales an event tells of. */
export function salesOf(event: LiveEvent): number {
  return event.name === 'blocks' ? (event.data?.sales ?? 0) : 0
}

/** A checkpoint anchors sales, a reorganisation takes that back; after a gap anything may have happened. */
export function changesRows(event: LiveEvent): boolean {
  return event.name !== 'evm' || event.data === null || event.data.checkpoints.length > 0
}

/** As many sales as were listed, at least one page; a list that grew too long begins anew. */
export async function firstPages(
  load: LoadPage<SaleRow>,
  listed: number,
  signal: AbortSignal,
): Promise<FeedRows> {
  const wanted = listed > ROWS_MAX ? PAGE_MAX : Math.max(listed, PAGE)
  const first = await load({ limit: Math.min(wanted, PAGE_MAX) }, signal)
  let feed: FeedRows = { rows: first.data, cursor: cursorOf(first) }
  while (feed.rows.length < wanted && feed.cursor !== null) {
    feed = withOlder(feed, await load(pageAfter(PAGE_MAX, feed.cursor), signal))
  }
  return feed
}
