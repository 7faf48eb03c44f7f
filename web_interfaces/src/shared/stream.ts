/**
 * Server-sent events that survive everything: the stream is opened again after the last id that was seen,
 * ever more patiently, and also when it stays silent for too long (a half-open connection reports nothing).
 */

export type StreamState = 'connecting' | 'open' | 'waiting'

/** The part of `EventSource` that is used, so that a test can stand in for the browser. */
export interface Source {
  onopen: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  addEventListener(
    name: string,
    listener: (event: { data: string; lastEventId: string }) => void,
  ): void
  close(): void
}

export interface StreamOptions {
  url: string
  events: readonly string[]
  onEvent(name: string, data: unknown): void
  onState(state: StreamState): void
  connect?: (url: string) => Source
  random?: () => number
}

const RETRY_FIRST_MS = 1_000
const RETRY_MAX_MS = 15_000
/** The EVM makes a block in far less time. */
const SILENCE_MAX_MS = 45_000

/** Milliseconds to wait before attempt `failures + 1`: doubling, with up to a quarter taken off by chance. */
export function retryDelayMs(failures: number, random: number): number {
  const delay = Math.min(RETRY_FIRST_MS * 2 ** Math.max(0, failures - 1), RETRY_MAX_MS)
  return Math.round(delay * (1 - random / 4))
}

/** The address that continues after `lastId`. */
export function resumeUrl(url: string, lastId: string): string {
  return lastId === '' ? url : `${url}?last_event_id=${encodeURIComponent(lastId)}`
}

/** Opens the stream; the answer closes it for good. */
export function openStream(options: StreamOptions): () => void {
  const connect = options.connect ?? ((url: string) => new EventSource(url) as unknown as Source)
  const random = options.random ?? Math.random
  let lastId = ''
  let failures = 0
  let source: Source | null = null
  let timer: ReturnType<typeof setTimeout> | undefined

  const after = (ms: number, act: () => void) => {
    clearTimeout(timer)
    timer = setTimeout(act, ms)
  }
  const heard = () => {
    failures = 0
    after(SILENCE_MAX_MS, lost)
  }
  const lost = () => {
    source?.close()
    failures += 1
    options.onState('waiting')
    after(retryDelayMs(failures, random()), open)
  }
  const take = (name: string, event: { data: string; lastEventId: string }) => {
    heard()
    if (event.lastEventId !== '') lastId = event.lastEventId
    options.onEvent(name, parsed(event.data))
  }
  const open = () => {
    options.onState('connecting')
    source = connect(resumeUrl(options.url, lastId))
    source.onopen = () => {
      heard()
      options.onState('open')
    }
    source.onerror = lost
    for (const name of options.events) source.addEventListener(name, (event) => take(name, event))
  }

  open()
  return () => {
    clearTimeout(timer)
    source?.close()
  }
}

/** An event that cannot be read still says that something happened. */
function parsed(data: string): unknown {
  try {
    return JSON.parse(data)
  } catch {
    return null
  }
}
