import type { BlocksEvent, EvmEvent } from 'hotpot-client'
import { openStream, type StreamState } from './stream.ts'

/**
 * What tells the parts of a page to ask again.
 * `open`: the stream runs again. `poll`: the stream is silent or down, and it is time to ask anyway.
 */
export type LiveEvent =
  | { name: 'blocks'; data: BlocksEvent | null }
  | { name: 'evm'; data: EvmEvent | null }
  | { name: 'reverted' | 'reset' | 'open' | 'poll' }

export interface Live {
  subscribe(listener: (event: LiveEvent) => void): () => void
  /** For `useSyncExternalStore`. */
  subscribeState(listener: () => void): () => void
  state(): StreamState
  close(): void
}

const EVENTS = ['blocks', 'evm', 'reverted', 'reset'] as const
export const POLL_MS = 5_000

/** Follows the gateway's events; while there are none it says `poll` every five seconds. */
export function follow(url: string): Live {
  const listeners = new Set<(event: LiveEvent) => void>()
  const stateListeners = new Set<() => void>()
  let state: StreamState = 'connecting'
  let spokeAt = Date.now()

  const tell = (event: LiveEvent) => {
    spokeAt = Date.now()
    for (const listener of listeners) listener(event)
  }
  const closeStream = openStream({
    url,
    events: EVENTS,
    onEvent: (name, data) => tell({ name, data } as LiveEvent),
    onState: (next) => {
      state = next
      for (const listener of stateListeners) listener()
      if (next === 'open') tell({ name: 'open' })
    },
  })
  const poll = setInterval(() => {
    if (Date.now() - spokeAt >= POLL_MS) tell({ name: 'poll' })
  }, 1_000)

  return {
    subscribe: (listener) => added(listeners, listener),
    subscribeState: (listener) => added(stateListeners, listener),
    state: () => state,
    close: () => {
      clearInterval(poll)
      closeStream()
    },
  }
}

function added<T>(set: Set<T>, item: T): () => void {
  set.add(item)
  return () => void set.delete(item)
}
