/** What the gateway answers (docs/GATEWAY.md), as types, and one way to ask for it. */
import type { EraseReason, Purpose } from './typed.ts'

/** How far the mirror was when it answered. Heights of 0 mean that nothing is mirrored yet. */
export interface AsOf {
  at: string
  height: number
  block_time: string | null
  evm_block: number
  evm_block_time: string | null
  evm_finalized_block: number
}

export interface Network {
  sidechain_id: string
  evm_chain_id: number
  token: string | null
  anchor: string | null
  /** A block explorer with `{tx}` in place of the transaction's hash. */
  explorer: string | null
  sidechain: { height: number; epoch: number; validators: number; ready: boolean } | null
  evm: { block: number; finalized_block: number }
  epochs: { anchored: number; final: number }
  disagreements: number
  outlets: number
  accounts: number
  as_of: AsOf
}

/** All amounts in units of 0.01 FRT. */
export interface Supply {
  height: number
  issued: number
  reversed: number
  released: number
  pending: number
  unclaimed: number
  pool: number
  debt: number
  bonded: number
  slashed: number
  sales: number
  minted: number
  minted_final: number
  to_mint: number
  holders: number
  as_of: AsOf
}

export type BuyerKind = 'none' | 'wallet' | 'receipt'

export interface SaleRow {
  outlet: number
  sale_id: string
  transaction_id: string
  height: number
  /** The block's. */
  time: string
  occurred_at: string
  currency: string
  total: number
  buyer_kind: BuyerKind
  issued: number
  not_issued: string | null
  refunded: number
  anchored: boolean
}

/** One page of a list, newest first. */
export interface PageOf<Row> {
  data: Row[]
  next_cursor: string | null
  has_more: boolean
  as_of: AsOf
}

export type SalesPage = PageOf<SaleRow>

export const STAGES = ['received', 'in_block', 'final', 'anchored', 'minted', 'indexed'] as const
export type StageName = (typeof STAGES)[number]
export type StageState = 'done' | 'waiting' | 'not_needed'
export type ShareState =
  | 'pending'
  | 'released'
  | 'minted'
  | 'unclaimed'
  | 'pool'
  | 'reversed'
  | 'paid_debt'

interface StageOf<Name extends StageName> {
  stage: Name
  state: StageState
  at: string | null
}

/** Where something stands on the EVM; absent until it does. */
export interface EvmPlace {
  epoch?: number
  tx_hash?: string
  evm_block?: number
  evm_final?: boolean
}

export interface Share extends EvmPlace {
  kind: 'account' | 'receipt' | 'pool'
  address?: string
  units: number
  reversed: number
  state: ShareState
  at?: string | null
}

export type Stage =
  | (StageOf<'received'> & { terminal?: string })
  | (StageOf<'in_block'> & { height?: number; block_hash?: string })
  | (StageOf<'final'> & {
      round?: number
      signatures?: number
      power_signed?: number
      power_total?: number
    })
  | (StageOf<'anchored'> & EvmPlace)
  | (StageOf<'minted'> & { shares?: Share[] })
  | StageOf<'indexed'>

export interface Sale {
  outlet: number
  sale_id: string
  transaction_id: string
  terminal: string
  occurred_at: string
  currency: string
  total: number
  buyer_kind: BuyerKind
  buyer: string
  height: number | null
  issued: number
  not_issued: string | null
  refunded: number
  reversed: number
  stage: StageName
  stages: Stage[]
  as_of: AsOf
}

/** As a node answers it. */
export interface Outlet {
  outlet: number
  owner: string
  kind: string
  city: string
  currency: string
  terminals: { address: string; kind: 'physical' | 'gateway' | 'video_agent'; active: boolean }[]
}

export type ConsentKind = 'guest' | 'security' | 'chef'

/** As the mirror lists it. A guest's has `commitment`, `guest` and `witness`, the owner's legal basis the others. */
export interface ConsentRow {
  id: string
  kind: ConsentKind
  outlet: number
  camera: number
  purposes: Purpose[]
  commitment: string | null
  guest: string | null
  witness: string | null
  notice_hash: string | null
  retention_days: number | null
  owner: string | null
  recorded_at: string
  until: string
  revoked_at: string | null
  revoked_by: string | null
  in_force: boolean
  /** Under it, and not erased. */
  recordings: number
  height: number
}

/** As a node answers it: whether it is in force is this one's to say. */
export interface ConsentAnswer {
  id: string
  kind: ConsentKind
  outlet: number
  camera: number
  purposes: Purpose[]
  recorded_at_ms: number
  until_ms: number
  revoked_at_ms?: number
  height: number
}

export interface RecordingRow {
  cid: string
  transaction_id: string
  outlet: number
  camera: number
  consent: string
  manifest_hash: string
  sequence: number
  started_at: string
  ended_at: string
  agent: string
  height: number
  epoch: number | null
  anchored: boolean
  erased: { height: number; at: string; by: string; reason: EraseReason } | null
}

export type CameraAlert = 'down' | 'covered' | 'moved' | 'frozen' | 'detector_late'

/** What an outlet's video agent says of a camera now. */
export interface AgentCamera {
  camera: number
  kind: 'security' | 'chef' | 'customer'
  mask_policy: string
  state: 'waiting' | 'live' | 'down'
  reason?: string
  recording_until_ms?: number | null
  stream_until_ms?: number | null
  alerts: CameraAlert[]
  push: 'on' | 'off' | 'none'
  /** Of the public stream; absent while its platform cannot say. */
  viewers?: number
}

export interface BlocksEvent {
  from: number
  to: number
  sales: number
  transactions: number
  latest: SaleRow[]
  as_of: AsOf
}

/** Why a request has no answer: the gateway's problem, or status 0 when nobody answered. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly requestId: string | null

  constructor(status: number, code: string, detail: string, requestId: string | null) {
    super(detail)
    this.status = status
    this.code = code
    this.requestId = requestId
  }

  /** Whether nobody answered, or only somebody on the way; else the gateway answered and meant it. */
  get unreachable(): boolean {
    return this.status === 0 || (this.status >= 502 && this.status <= 504)
  }
}

const REQUEST_TIMEOUT_MS = 10_000
const FINAL_TIMEOUT_MS = 30_000
/** Nobody calls a transaction back. */
const NEVER = new AbortController().signal

/** Asks the gateway. Throws nothing but `ApiError`, or the abort of `signal`. */
export function getJson<T>(path: string, signal: AbortSignal): Promise<T> {
  return ask<T>(path, {}, signal)
}

/** Sends a signed transaction; the answer comes once it is final. The same one may be sent again: it has the same answer. */
export function postTransaction(transaction: object): Promise<{ id: string; status: string }> {
  const body = {
    method: 'POST',
    body: JSON.stringify(transaction),
    headers: { 'content-type': 'application/json' },
  }
  return ask('/api/v1/transactions', body, NEVER)
}

/** The kill switch of a camera's public stream. */
export function switchPush(outlet: number, camera: number, on: boolean): Promise<AgentCamera> {
  const body = {
    method: 'PUT',
    body: JSON.stringify({ on }),
    headers: { 'content-type': 'application/json' },
  }
  return ask(`/api/v1/outlets/${outlet}/cameras/${camera}/push`, body, NEVER)
}

async function ask<T>(path: string, request: RequestInit, signal: AbortSignal): Promise<T> {
  const response = await send(path, request, signal)
  const requestId = response.headers.get('x-request-id')
  const body = await response.json().catch(() => null)
  if (response.ok && body !== null) return body as T
  if (response.ok)
    throw new ApiError(502, 'not_json', `${path} did not answer with JSON`, requestId)
  throw problem(response.status, body, requestId)
}

async function send(path: string, request: RequestInit, signal: AbortSignal): Promise<Response> {
  const timeoutMs = request.method === 'POST' ? FINAL_TIMEOUT_MS : REQUEST_TIMEOUT_MS
  try {
    return await fetch(path, {
      ...request,
      headers: { accept: 'application/json', ...request.headers },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    })
  } catch (cause) {
    if (signal.aborted) throw cause
    throw new ApiError(0, 'no_answer', `${path} got no answer`, null)
  }
}

function problem(
  status: number,
  body: { type?: string; detail?: string; request_id?: string } | null,
  requestId: string | null,
) {
  const code = body?.type?.split(':').at(-1) ?? `http_${status}`
  return new ApiError(
    status,
    code,
    body?.detail ?? `HTTP status ${status}`,
    body?.request_id ?? requestId,
  )
}

/** The API's path of a sale. */
export function salePath(outlet: number, saleId: string): string {
  return `/api/v1/sales/${outlet}/${saleId}`
}
