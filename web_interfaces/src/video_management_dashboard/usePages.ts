import { ApiError } from 'hotpot-client'
import { useState } from 'react'
import { type LoadPage, pageAfter } from '../shared/api.ts'
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

/** A list, newest first, page by page; what was shown is asked for again when something happens. Another `key` is another list. */
export function usePages<Row>(
  key: string,
  load: LoadPage<Row>,
  keyOf: (row: Row) => string,
): Pages<Row> {
  const [list, setList] = useState<(Rows<Row> & { key: string }) | null>(null)
  const [error, setError] = useState<ApiError | null>(null)
  const [loadingMore, setLoadingMore] = useState(false)
  const shown = list?.key === key ? list : null

  const take = (cause: unknown) => {
    if (cause instanceof ApiError) setError(cause)
  }
  const reload = useThrottled(key, RELOAD_GAP_MS, async (signal) => {
    const rows = await firstPages(load, keyOf, shown?.rows.length ?? 0, signal).catch(take)
    if (!rows) return
    setList({ ...rows, key })
    setError(null)
  })
  useLiveEvents((event) => {
    if (mayChange(event)) reload()
  })
  const more = async () => {
    if (shown?.cursor == null) return
    setLoadingMore(true)
    const next = await load(pageAfter(PAGE, shown.cursor), NEVER).catch(take)
    if (next)
      setList((old) => (old && old.key === key ? { ...rowsWith(old, next, keyOf), key } : old))
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
