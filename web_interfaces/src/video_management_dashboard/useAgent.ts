import {
  ApiError,
  type CameraAnswer,
  type NetworkOverview,
  type OutletAnswer,
  watchTypedData,
} from 'hotpot-client'
import { useEffect, useState } from 'react'
import { connect, findWallet, signTyped, WalletError } from '../shared/wallet.ts'
import { camerasOfAgent } from './load.ts'
import { mayManage } from './recordings.ts'

const ASK_EVERY_MS = 2_000
const OPEN_FOR_MS = 30 * 60_000

/**
 * `locked`: nobody has signed yet. `none`: this gateway knows no agent of the outlet. `away`: the agent does not answer.
 */
export type AgentState = 'locked' | 'opening' | 'open' | 'none' | 'away'

export interface Agent {
  state: AgentState
  cameras: CameraAnswer[]
  problem: WalletError | 'not_allowed' | null
  open(): void
}

export const camerasPath = (outlet: number) => `/api/v1/outlets/${outlet}/cameras`
export const previewPath = (outlet: number, camera: number) =>
  `${camerasPath(outlet)}/${camera}/preview/index.m3u8`

/** The outlet's video agent, once its owner or the agent itself has signed to look: cameras, alerts, preview. */
export function useAgent(
  number: number,
  outlet: OutletAnswer | null,
  network: NetworkOverview | null,
): Agent {
  const [until, setUntil] = useState(() => openUntil(number))
  const [answer, setAnswer] = useState<{ state: AgentState; cameras: CameraAnswer[] }>({
    state: 'opening',
    cameras: [],
  })
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

async function askAgent(
  outlet: number,
  signal: AbortSignal,
): Promise<{ state: AgentState; cameras: CameraAnswer[] }> {
  try {
    return { state: 'open', cameras: await camerasOfAgent(outlet)(signal) }
  } catch (cause) {
    const status = cause instanceof ApiError ? cause.status : 0
    if (status === 401 || status === 403) return { state: 'locked', cameras: [] }
    return { state: status === 404 ? 'none' : 'away', cameras: [] }
  }
}

/** The signature goes along as a cookie of these paths alone, so that a video element brings it too. */
async function signToWatch(outlet: OutletAnswer, network: NetworkOverview): Promise<number> {
  const wallet = findWallet()
  const account = await connect(wallet)
  if (!mayManage(outlet, account))
    throw new Error('this account is neither the owner nor a video agent')
  const until = Date.now() + OPEN_FOR_MS
  const signature = await signTyped(wallet, account, watchTypedData(network, outlet.outlet, until))
  const secure = location.protocol === 'https:' ? '; Secure' : ''
  // biome-ignore lint/suspicious/noDocumentCookie: not every browser has the Cookie Store API, and none on a page without TLS.
  document.cookie = `hotpot_watch=${until}.${signature}; Path=${camerasPath(outlet.outlet)}; Max-Age=${OPEN_FOR_MS / 1000}; SameSite=Strict${secure}`
  rememberOpen(outlet.outlet, until)
  return until
}

const storedAs = (outlet: number) => `hotpot.watch.${outlet}`

/** A cookie of another path cannot be read here; so that a reload does not ask the wallet again, its end is kept. */
function rememberOpen(outlet: number, until: number) {
  try {
    sessionStorage.setItem(storedAs(outlet), String(until))
  } catch {
    // A browser that keeps nothing asks again.
  }
}

function openUntil(outlet: number): number {
  try {
    const until = Number(sessionStorage.getItem(storedAs(outlet)))
    return until > Date.now() ? until : 0
  } catch {
    return 0
  }
}
