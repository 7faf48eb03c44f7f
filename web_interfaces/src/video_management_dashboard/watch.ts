/** Looking at an outlet's cameras: who may, for how long, and what its video agent answers. Pure but for cookie and storage. */
import {
  ApiError,
  type CameraAnswer,
  type Chain,
  type OutletAnswer,
  watchTypedData,
} from 'hotpot-client'
import { connect, findWallet, signTyped } from '../shared/wallet.ts'
import { camerasOfAgent } from './load.ts'
import { mayManage } from './recordings.ts'

const OPEN_FOR_MS = 30 * 60_000

/**
 * `locked`: nobody has signed yet. `none`: this gateway knows no agent of the outlet. `away`: the agent does not answer.
 */
export type AgentState = 'locked' | 'opening' | 'open' | 'none' | 'away'

export interface AgentAnswer {
  state: AgentState
  cameras: CameraAnswer[]
}

export const camerasPath = (outlet: number) => `/api/v1/outlets/${outlet}/cameras`
export const previewPath = (outlet: number, camera: number) =>
  `${camerasPath(outlet)}/${camera}/preview/index.m3u8`

/** What the agent says now; never throws. */
export async function askAgent(outlet: number, signal: AbortSignal): Promise<AgentAnswer> {
  try {
    return { state: 'open', cameras: await camerasOfAgent(outlet)(signal) }
  } catch (cause) {
    const status = cause instanceof ApiError ? cause.status : 0
    if (status === 401 || status === 403) return { state: 'locked', cameras: [] }
    return { state: status === 404 ? 'none' : 'away', cameras: [] }
  }
}

/**
 * Lets the owner or the video agent sign to look, and answers until when.
 * The signature goes along as a cookie of these paths alone, so that a video element brings it too.
 */
export async function signToWatch(outlet: OutletAnswer, chain: Chain): Promise<number> {
  const wallet = findWallet()
  const account = await connect(wallet)
  if (!mayManage(outlet, account))
    throw new Error('this account is neither the owner nor a video agent')

  const until = Date.now() + OPEN_FOR_MS
  const signature = await signTyped(wallet, account, watchTypedData(chain, outlet.outlet, until))
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

/** Until when somebody signed in this tab; 0 when nobody did, or it is over. */
export function openUntil(outlet: number): number {
  try {
    const until = Number(sessionStorage.getItem(storedAs(outlet)))
    return until > Date.now() ? until : 0
  } catch {
    return 0
  }
}
