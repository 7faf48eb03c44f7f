import { ApiError, type SaleRow, unwrap } from 'hotpot-client'
import { useRef, useState } from 'react'
import { client, type LoadPage, pageAfter } from '../shared/api.ts'
import {
  changesRows,
  type FeedRows,
  firstPages,
  listsAll,
  PAGE,
  ROWS_MAX,
  salesOf,
  withNewest,
  withOlder,
} from '../shared/feed.ts'
import { useLiveEvents, useThrottled } from '../shared/hooks.ts'

const RELOAD_GAP_MS = 2_000
/** The list lives as long as the page. */
const NEVER = new AbortController().signal

export interface FeedState {
  /** Null until the first answer. */
  feed: FeedRows | null
  error: ApiError | null
  paused: boolean
  /** Sales that came while paused. */
  held: number
  loadingOlder: boolean
  setPaused(paused: boolean): void
  older(): void
  reload(): void
}

/** Sales newest first: the first pages, then what events bring, without a hole between them. */
export function useFeed(): FeedState {
  const [feed, setFeed] = useState<FeedRows | null>(null)
  const [error, setError] = useState<ApiError | null>(null)
  const [held, setHeld] = useState(0)
  const [paused, setPaused] = useState(false)
  const [loadingOlder, setLoadingOlder] = useState(false)
  /** The same as `paused`, for requests that are under way when it changes. */
  const still = useRef(false)

  const take = (cause: unknown) => {
    if (cause instanceof ApiError) setError(cause)
  }
  const reload = useThrottled('feed', RELOAD_GAP_MS, async (signal) => {
    if (still.current) return
    const rows = await firstPages(loadSales, feed?.rows.length ?? 0, signal).catch(take)
    if (!rows || still.current) return
    setFeed(rows)
    setError(null)
    setHeld(0)
  })
  useLiveEvents((event) => {
    if (paused) return setHeld((count) => count + salesOf(event))
    const tooLong = (feed?.rows.length ?? 0) > ROWS_MAX
    if (event.name === 'blocks' && event.data && listsAll(event.data) && !tooLong) {
      const { latest } = event.data
      return setFeed((old) => old && withNewest(old, latest))
    }
    if (changesRows(event)) reload()
  })
  const older = async () => {
    if (feed?.cursor == null) return
    setLoadingOlder(true)
    const next = await loadSales(pageAfter(PAGE, feed.cursor), NEVER).catch(take)
    if (next) setFeed((old) => old && withOlder(old, next))
    setLoadingOlder(false)
  }
  const pause = (next: boolean) => {
    still.current = next
    setPaused(next)
    if (!next) reload()
  }
  return {
    feed,
    error,
    paused,
    held,
    loadingOlder,
    setPaused: pause,
    older: () => void older(),
    reload,
  }
}

const loadSales: LoadPage<SaleRow> = (query, signal) =>
  unwrap(client.GET('/api/v1/sales', { params: { query }, signal }), signal)
