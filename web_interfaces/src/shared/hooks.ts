import { ApiError } from 'hotpot-client'
import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react'
import type { Load } from './api.ts'
import { type Language, type Translate, translator } from './i18n.ts'
import { follow, type Live, type LiveEvent } from './live.ts'
import { parseRoute, type SaleKey } from './route.ts'
import type { StreamState } from './stream.ts'
import { throttled } from './throttled.ts'

/** The page's language and its words. */
export const Words = createContext<{ language: Language; t: Translate }>({
  language: 'en',
  t: translator('en'),
})
export const useWords = () => useContext(Words)

/** One stream of events for the whole page. */
let shared: Live | null = null
const live = () => (shared ??= follow('/api/v1/events'))

export function useLiveEvents(listener: (event: LiveEvent) => void): void {
  const newest = useRef(listener)
  useEffect(() => {
    newest.current = listener
  })
  useEffect(() => live().subscribe((event) => newest.current(event)), [])
}

export function useStreamState(): StreamState {
  return useSyncExternalStore(live().subscribeState, live().state)
}

/** Now, moving on every second. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [])
  return now
}

export interface Resource<T> {
  /** The last answer; it stays when a later request fails. */
  data: T | null
  /** When it came, by this machine's clock. */
  answeredAtMs: number
  /** Why the last request failed; null when it did not. */
  error: ApiError | null
  reload(): void
}

/** Events come faster than figures are worth asking for. */
const RELOAD_GAP_MS = 1_000

/** What `load` answers, asked for again whenever something happens on either chain. Another `key` is another thing. */
export function useResource<T>(key: string, load: Load<T>): Resource<T> {
  const [answer, setAnswer] = useState<{
    key: string
    data: T | null
    answeredAtMs: number
    error: ApiError | null
  }>({
    key,
    data: null,
    answeredAtMs: 0,
    error: null,
  })
  const reload = useThrottled(key, RELOAD_GAP_MS, async (signal) => {
    try {
      const data = await load(signal)
      setAnswer({ key, data, answeredAtMs: Date.now(), error: null })
    } catch (cause) {
      if (!(cause instanceof ApiError)) return
      setAnswer((old) =>
        old.key === key
          ? { ...old, error: cause }
          : { key, data: null, answeredAtMs: 0, error: cause },
      )
    }
  })
  useLiveEvents(reload)
  const current = answer.key === key ? answer : { data: null, answeredAtMs: 0, error: null }
  return { data: current.data, answeredAtMs: current.answeredAtMs, error: current.error, reload }
}

/** Runs `work` now and whenever the answer is called: one at a time, and not more often than every `gapMs`. */
export function useThrottled(
  key: string,
  gapMs: number,
  work: (signal: AbortSignal) => Promise<void>,
): () => void {
  const newest = useRef(work)
  const ask = useRef(() => {})
  useEffect(() => {
    newest.current = work
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: another key starts it anew, though nothing in here reads it.
  useEffect(() => {
    const run = throttled(gapMs, (signal) => newest.current(signal))
    ask.current = run.ask
    run.ask()
    return run.stop
  }, [key, gapMs])
  return useCallback(() => ask.current(), [])
}

/** The sale that the address bar names. */
export function useRoute(): SaleKey | null {
  const hash = useSyncExternalStore(
    (listener) => {
      addEventListener('hashchange', listener)
      return () => removeEventListener('hashchange', listener)
    },
    () => location.hash,
  )
  return parseRoute(hash)
}
