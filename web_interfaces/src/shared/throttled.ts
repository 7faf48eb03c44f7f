/** Work that is asked for more often than it is worth doing. Pure. */

export interface Throttled {
  /** Does the work now, or once more after what runs and its gap. */
  ask(): void
  stop(): void
}

/** One run of `work` at a time, and not more often than every `gapMs`; one that fails is as good as done. */
export function throttled(gapMs: number, work: (signal: AbortSignal) => Promise<void>): Throttled {
  const abort = new AbortController()
  let wanted = false
  let busy = false
  const ask = async () => {
    wanted = true
    if (busy) return
    busy = true
    while (wanted && !abort.signal.aborted) {
      wanted = false
      await work(abort.signal).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, gapMs))
    }
    busy = false
  }
  return { ask: () => void ask(), stop: () => abort.abort() }
}
