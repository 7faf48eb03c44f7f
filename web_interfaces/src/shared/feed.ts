/** The list of sales, as pages and events build it. Pure. */
import type { SaleRow } from 'hotpot-client'
import type { PageOf } from './api.ts'

export interface FeedRows {
  rows: SaleRow[]
  cursor: string | null
}

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
