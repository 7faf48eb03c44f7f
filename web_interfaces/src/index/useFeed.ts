import { ApiError, type BlocksEvent, type SaleRow, unwrap } from 'hotpot-client'
import { useRef, useState } from 'react'
import { client, type LoadPage, pageAfter } from '../shared/api.ts'
import { cursorOf, type FeedRows, ROWS_MAX, withNewest, withOlder } from '../shared/feed.ts'
import { useLiveEvents, useThrottled } from '../shared/hooks.ts'
import type { LiveEvent } from '../shared/live.ts'

const PAGE = 20
const PAGE_MAX = 100
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
    const rows = await firstPages(feed?.rows.length ?? 0, signal).catch(take)
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

/** Whether the event carries every sale of its blocks; else there would be a hole in the list. */
function listsAll(data: BlocksEvent): boolean {
  return data.latest.length >= data.sales
}

function salesOf(event: LiveEvent): number {
  return event.name === 'blocks' ? (event.data?.sales ?? 0) : 0
}

/** A checkpoint anchors sales, a reorganisation takes that back; after a gap anything may have happened. */
function changesRows(event: LiveEvent): boolean {
  return event.name !== 'evm' || event.data === null || event.data.checkpoints.length > 0
}

/** As many sales as were listed, at least one page; a list that grew too long begins anew. */
async function firstPages(listed: number, signal: AbortSignal): Promise<FeedRows> {
  const wanted = listed > ROWS_MAX ? PAGE_MAX : Math.max(listed, PAGE)
  const first = await loadSales({ limit: Math.min(wanted, PAGE_MAX) }, signal)
  let feed: FeedRows = { rows: first.data, cursor: cursorOf(first) }
  while (feed.rows.length < wanted && feed.cursor !== null) {
    feed = withOlder(feed, await loadSales(pageAfter(PAGE_MAX, feed.cursor), signal))
  }
  return feed
}

const loadSales: LoadPage<SaleRow> = (query, signal) =>
  unwrap(client.GET('/api/v1/sales', { params: { query }, signal }), signal)
