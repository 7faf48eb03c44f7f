import type { NetworkOverview, OutletAnswer } from 'hotpot-client'
import { useEffect, useState } from 'react'
import { WalletError } from '../shared/wallet.ts'
import { type AgentAnswer, askAgent, openUntil, signToWatch } from './watch.ts'

const ASK_EVERY_MS = 2_000

export interface Agent extends AgentAnswer {
  problem: WalletError | 'not_allowed' | null
  open(): void
}

/** The outlet's video agent, once its owner or the agent itself has signed to look: cameras, alerts, preview. */
export function useAgent(
  number: number,
  outlet: OutletAnswer | null,
  network: NetworkOverview | null,
): Agent {
  const [until, setUntil] = useState(() => openUntil(number))
  const [answer, setAnswer] = useState<AgentAnswer>({ state: 'opening', cameras: [] })
  const [problem, setProblem] = useState<Agent['problem']>(null)

  useEffect(() => {
    if (until <= Date.now()) return
    const abort = new AbortController()
    const ask = async () => {
      const next = await askAgent(number, abort.signal)
      if (abort.signal.aborted) return
      setAnswer(next)
      if (next.state === 'locked' || Date.now() >= until) setUntil(0)
    }
    void ask()
    const timer = setInterval(() => void ask(), ASK_EVERY_MS)
    return () => {
      abort.abort()
      clearInterval(timer)
    }
  }, [number, until])

  const open = async () => {
    if (outlet === null || network === null) return
    setProblem(null)
    setAnswer({ state: 'opening', cameras: [] })
    setUntil(await signToWatch(outlet, network))
  }
  const failed = (cause: unknown) =>
    setProblem(cause instanceof WalletError ? cause : 'not_allowed')
  return {
    ...(until > 0 ? answer : { state: 'locked', cameras: [] }),
    problem,
    open: () => void open().catch(failed),
  }
}
