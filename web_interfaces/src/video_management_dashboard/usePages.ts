import { ApiError } from 'hotpot-client'
import { useState } from 'react'
import { type LoadPage, pageAfter } from '../shared/api.ts'
import { useLiveEvents, useThrottled } from '../shared/hooks.ts'
import { firstPages, mayChange, PAGE, type Rows, rowsWith } from './pages.ts'

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
