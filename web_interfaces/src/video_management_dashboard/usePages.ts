import { useState } from 'react'
import { ApiError, getJson, type PageOf } from '../shared/api.ts'
import { useLiveEvents, useThrottled } from '../shared/hooks.ts'
import type { LiveEvent } from '../shared/live.ts'
import { type Rows, rowsWith } from './recordings.ts'

const PAGE = 20
const PAGE_MAX = 100
/** A list that grew longer begins anew when something happens. */
const ROWS_MAX = 500
const RELOAD_GAP_MS = 2_000
/** The list lives as long as the page. */
const NEVER = new AbortController().signal

export interface Pages<Row> {
  /** Null until the first answer. */
  rows: Row[] | null
  hasMore: boolean
  error: ApiError | null
  loadingMore: boolean
  more(): void
  reload(): void
}

/** A list, newest first, page by page; what was shown is asked for again when something happens. */
export function usePages<Row>(path: string, keyOf: (row: Row) => string): Pages<Row> {
  const [list, setList] = useState<(Rows<Row> & { path: string }) | null>(null)
  const [error, setError] = useState<ApiError | null>(null)
  const [loadingMore, setLoadingMore] = useState(false)
  const shown = list?.path === path ? list : null

  const take = (cause: unknown) => {
    if (cause instanceof ApiError) setError(cause)
  }
  const reload = useThrottled(path, RELOAD_GAP_MS, async (signal) => {
    const rows = await firstPages(path, keyOf, shown?.rows.length ?? 0, signal).catch(take)
    if (!rows) return
    setList({ ...rows, path })
    setError(null)
  })
  useLiveEvents((event) => {
    if (mayChange(event)) reload()
  })
  const more = async () => {
    if (shown?.cursor == null) return
    setLoadingMore(true)
    const next = await page<Row>(path, PAGE, shown.cursor, NEVER).catch(take)
    if (next)
      setList((old) => (old && old.path === path ? { ...rowsWith(old, next, keyOf), path } : old))
    setLoadingMore(false)
  }
  return {
    rows: shown?.rows ?? null,
    hasMore: shown?.cursor != null,
    error,
    loadingMore,
    more: () => void more(),
    reload,
  }
}

/** A block without transactions changes nothing here, and the EVM only what a checkpoint covers. */
function mayChange(event: LiveEvent): boolean {
  if (event.name === 'blocks') return event.data === null || event.data.transactions > 0
  return event.name !== 'evm' || event.data === null || event.data.checkpoints.length > 0
}

async function firstPages<Row>(
  path: string,
  keyOf: (row: Row) => string,
  listed: number,
  signal: AbortSignal,
): Promise<Rows<Row>> {
  const wanted = listed > ROWS_MAX ? PAGE : Math.max(listed, PAGE)
  let rows = rowsWith<Row>(
    null,
    await page<Row>(path, Math.min(wanted, PAGE_MAX), null, signal),
    keyOf,
  )
  while (rows.rows.length < wanted && rows.cursor !== null) {
    rows = rowsWith(rows, await page<Row>(path, PAGE_MAX, rows.cursor, signal), keyOf)
  }
  return rows
}

function page<Row>(
  path: string,
  limit: number,
  cursor: string | null,
  signal: AbortSignal,
): Promise<PageOf<Row>> {
  const after = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
  return getJson<PageOf<Row>>(`${path}&limit=${limit}${after}`, signal)
}
