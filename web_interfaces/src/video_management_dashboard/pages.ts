/** A list, page by page. Pure. */
import { type LoadPage, type PageOf, pageAfter } from '../shared/api.ts'
import type { LiveEvent } from '../shared/live.ts'

export const PAGE = 20
const PAGE_MAX = 100
/** A list that grew longer begins anew when something happens. */
const ROWS_MAX = 500

export interface Rows<Row> {
  rows: Row[]
  cursor: string | null
  page: PageOf<Row>
}

/** A list after its first page, or with one more below. */
export function rowsWith<Row>(
  before: Rows<Row> | null,
  page: PageOf<Row>,
  keyOf: (row: Row) => string,
): Rows<Row> {
  const known = new Set(before?.rows.map(keyOf))
  const rows = [...(before?.rows ?? []), ...page.data.filter((row) => !known.has(keyOf(row)))]
  return { rows, cursor: page.has_more ? page.next_cursor : null, page: before?.page ?? page }
}

/** A block without transactions changes nothing here, and the EVM only what a checkpoint covers. */
export function mayChange(event: LiveEvent): boolean {
  if (event.name === 'blocks') return event.data === null || event.data.transactions > 0
  return event.name !== 'evm' || event.data === null || event.data.checkpoints.length > 0
}

/** As many rows as were listed, at least one page; a list that grew too long begins anew. */
export async function firstPages<Row>(
  load: LoadPage<Row>,
  keyOf: (row: Row) => string,
  listed: number,
  signal: AbortSignal,
): Promise<Rows<Row>> {
  const wanted = listed > ROWS_MAX ? PAGE : Math.max(listed, PAGE)
  const first = await load({ limit: Math.min(wanted, PAGE_MAX) }, signal)
  let rows = rowsWith(null, first, keyOf)
  while (rows.rows.length < wanted && rows.cursor !== null) {
    rows = rowsWith(rows, await load(pageAfter(PAGE_MAX, rows.cursor), signal), keyOf)
  }
  return rows
}
