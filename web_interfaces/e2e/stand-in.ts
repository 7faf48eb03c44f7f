/**
 * Answers like the gateway, from made-up data, so that the pages can be looked at without a network: `npm run stand-in`.
 * It takes consents, revocations and erasures that the right account signed. `PORT` is 8090 unless it is set;
 * `PREVIEW` names a folder with an HLS playlist `index.m3u8`, which every camera shows.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { extname } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  type AsOf,
  type BlocksEvent,
  type CameraAnswer,
  type ConsentAnswer,
  type ConsentRow,
  type NetworkOverview,
  type OutletAnswer,
  type Payload,
  type Problem,
  type RecordingRow,
  type SignedTransaction,
  transactionTypedData,
  witnessTypedData,
} from 'hotpot-client'
import { addressOf, digestOf, signerOf } from 'hotpot-client/keys'

const OWNER_KEY = `0x${'11'.repeat(32)}`
const TILL_KEY = `0x${'22'.repeat(32)}`
const AGENT_KEY = `0x${'33'.repeat(32)}`
const chain = { evm_chain_id: 31337, sidechain_id: `0x${'b3'.repeat(32)}` }
const [owner, till, agent] = [OWNER_KEY, TILL_KEY, AGENT_KEY].map(addressOf) as [
  string,
  string,
  string,
]
const dist = new URL('../dist/', import.meta.url)
const CSP =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.mp4': 'video/mp4',
  '.m4s': 'video/iso.segment',
}

const startedAt = Date.now()
const iso = (ms: number) => new Date(ms).toISOString()
const height = () => 120 + Math.floor((Date.now() - startedAt) / 1000)
const asOf = (): AsOf => ({
  at: iso(Date.now()),
  height: height(),
  block_time: iso(Date.now() - 400),
  evm_block: 431,
  evm_block_time: iso(Date.now() - 900),
  evm_finalized_block: 423,
})
const hex = (byte: number, length = 32) => `0x${byte.toString(16).padStart(2, '0').repeat(length)}`

function legalBasis(camera: number, kind: 'chef' | 'security', byte: number): ConsentRow {
  return {
    id: hex(byte),
    kind,
    outlet: 1,
    camera,
    purposes: ['recording'],
    commitment: null,
    guest: null,
    witness: null,
    notice_hash: hex(byte + 1),
    retention_days: 3,
    owner,
    recorded_at: iso(startedAt - 86_400_000),
    until: iso(startedAt + 29 * 86_400_000),
    revoked_at: null,
    revoked_by: null,
    in_force: true,
    recordings: 18,
    height: 12,
  }
}
function guestsConsent(id: string, change: Partial<ConsentRow>): ConsentRow {
  return {
    id,
    kind: 'guest',
    outlet: 1,
    camera: 7,
    purposes: ['recording'],
    commitment: hex(0xa4),
    guest: hex(0xb2, 20),
    witness: till,
    notice_hash: null,
    retention_days: null,
    owner: null,
    recorded_at: iso(Date.now()),
    until: iso(startedAt + 4_980_000),
    revoked_at: null,
    revoked_by: null,
    in_force: true,
    recordings: 12,
    height: height(),
    ...change,
  }
}
const consents: ConsentRow[] = [
  guestsConsent(hex(0x34), { purposes: ['recording', 'stream'] }),
  legalBasis(2, 'chef', 0x75),
  legalBasis(11, 'security', 0x77),
]

const CID = 'bafkreiheit3zw2t6q226lf2m3j6kzmpejt2bj73xthooheqekq2bwybkm4'
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
function recording(number: number): RecordingRow {
  const endedAt = startedAt - number * 60_000
  const erased =
    number % 5 === 4
      ? { height: 118, at: iso(endedAt + 30_000), by: agent, reason: 'retention' as const }
      : null
  const camera = [7, 7, 2, 11][number % 4] ?? 7
  return {
    cid:
      CID.slice(0, 20) +
      (ALPHABET[number % 32] ?? '') +
      (ALPHABET[Math.floor(number / 32)] ?? '') +
      CID.slice(22),
    transaction_id: hex(number),
    outlet: 1,
    camera,
    consent: camera === 7 ? hex(0x34) : camera === 2 ? hex(0x75) : hex(0x77),
    manifest_hash: hex(0x8a),
    sequence: 1_208 - number,
    started_at: iso(endedAt - 58_000),
    ended_at: iso(endedAt),
    agent,
    height: 119 - number,
    epoch: number < 2 ? null : 3,
    anchored: number > 3,
    erased,
  }
}
const recordings = Array.from({ length: 45 }, (_, number) => recording(number))
const cameras: CameraAnswer[] = [
  {
    camera: 2,
    kind: 'chef',
    mask_policy: 'faces_and_silhouettes',
    state: 'live',
    recording_until_ms: startedAt + 86_400_000,
    stream_until_ms: null,
    alerts: ['detector_late'],
    push: 'none',
  },
  {
    camera: 7,
    kind: 'customer',
    mask_policy: 'faces_and_silhouettes',
    state: 'live',
    recording_until_ms: null,
    stream_until_ms: startedAt + 4_980_000,
    alerts: [],
    push: 'on',
  },
  {
    camera: 11,
    kind: 'security',
    mask_policy: 'faces_and_silhouettes',
    state: 'down',
    reason: 'no frames for 5 s',
    alerts: ['down'],
    push: 'none',
  },
]
const outlets: OutletAnswer[] = [
  {
    outlet: 1,
    owner,
    kind: 'franchised',
    city: 'Tbilisi',
    currency: 'GEL',
    terminals: [
      { address: till, kind: 'physical', active: true },
      { address: agent, kind: 'video_agent', active: true },
    ],
  },
  { outlet: 2, owner, kind: 'owner_operated', city: 'Batumi', currency: 'GEL', terminals: [] },
]
const network = (): NetworkOverview => ({
  ...chain,
  token: hex(0x70, 20),
  anchor: hex(0xa0, 20),
  explorer: null,
  sidechain: { height: height(), epoch: 4, validators: 4, ready: true },
  evm: { block: 431, finalized_block: 423 },
  epochs: { anchored: 3, final: 2 },
  disagreements: 0,
  outlets: 2,
  accounts: 12,
  arrows: [
    { arrow: 'nodes_to_gateway', state: 'in_step', age_s: 0 },
    { arrow: 'sidechain_to_indexer', state: 'in_step', age_s: 1 },
    { arrow: 'relayer_to_evm', state: 'late', age_s: 140 },
    { arrow: 'evm_to_indexer', state: 'in_step', age_s: 1 },
    { arrow: 'database_to_gateway', state: 'in_step', age_s: 0 },
  ],
  away: [],
  as_of: asOf(),
})

function problem(status: number, code: string, detail: string): Answer {
  const type = `urn:hotpot:problem:${code}`
  const body: Problem = { type, title: code, status, detail, request_id: 'stand-in-1' }
  return { status, body }
}
const ok = (body: unknown, status = 200) => ({ status, body })
type Answer = { status: number; body: unknown }

function listed(
  all: readonly { outlet: number; camera: number }[],
  query: URLSearchParams,
): Answer {
  const [outlet, camera, limit, from] = ['outlet', 'camera', 'limit', 'cursor'].map((name) =>
    query.get(name),
  )
  const wanted = all.filter(
    (one) =>
      (!outlet || one.outlet === Number(outlet)) && (!camera || one.camera === Number(camera)),
  )
  const start = Number(from ?? 0)
  const end = start + Number(limit ?? 20)
  return ok({
    data: wanted.slice(start, end),
    next_cursor: end < wanted.length ? String(end) : null,
    has_more: end < wanted.length,
    as_of: asOf(),
  })
}

function consentAnswer(id: string): Answer {
  const found = consents.find((one) => one.id === id)
  if (!found) return problem(404, 'not_found', 'no such consent')
  const { kind, outlet, camera, purposes } = found
  const revoked = found.revoked_at === null ? {} : { revoked_at_ms: Date.parse(found.revoked_at) }
  const answer: ConsentAnswer = {
    id,
    kind,
    outlet,
    camera,
    purposes,
    recorded_at_ms: Date.parse(found.recorded_at),
    until_ms: Date.parse(found.until),
    height: found.height,
    ...revoked,
  }
  return ok(answer)
}

function take(transaction: SignedTransaction): Answer {
  const id = digestOf(transactionTypedData(chain, transaction))
  const signer = signerOf(transactionTypedData(chain, transaction), transaction.signature)
  const refused = refusalOf(transaction, signer, id)
  if (refused) return refused
  tellBlocks(1)
  return ok({ id, status: 'final', height: height(), transaction }, 201)
}

function refusalOf(transaction: Payload, signer: string | null, id: string): Answer | null {
  if (transaction.type === 'record_consent') {
    if (signer !== transaction.guest) return problem(403, 'wrong_signer', 'not signed by the guest')
    if (signerOf(witnessTypedData(chain, transaction), transaction.witness_signature) !== till)
      return problem(422, 'bad_witness_signature', 'not the till’s signature over this consent')
    const { camera, outlet, purposes, commitment, guest, until_ms } = transaction
    consents.unshift(
      guestsConsent(id, {
        camera,
        outlet,
        purposes,
        commitment,
        guest,
        until: iso(until_ms),
        recordings: 0,
      }),
    )
    return null
  }
  if (transaction.type === 'revoke_consent') {
    const found = consents.find((one) => one.id === transaction.consent)
    if (!found) return problem(422, 'unknown_consent', 'not in the ledger')
    if (signer !== found.guest && signer !== owner)
      return problem(403, 'wrong_signer', 'neither the guest nor the owner')
    Object.assign(found, { revoked_at: iso(Date.now()), revoked_by: signer, in_force: false })
    return null
  }
  if (transaction.type !== 'erase_recording')
    return problem(422, 'not_here', `the stand-in takes no ${transaction.type}`)
  const found = recordings.find((one) => one.cid === transaction.cid)
  if (!found) return problem(422, 'unknown_recording', 'not in the ledger')
  if (signer !== owner && signer !== agent)
    return problem(403, 'wrong_signer', 'neither the owner nor a video agent')
  found.erased = { height: height(), at: iso(Date.now()), by: signer, reason: transaction.reason }
  return null
}

const readers = new Set<ServerResponse>()
function tell(data: BlocksEvent) {
  for (const reader of readers)
    reader.write(`id: ${Date.now()}\nevent: blocks\ndata: ${JSON.stringify(data)}\n\n`)
}
function tellBlocks(transactions: number) {
  const now = height()
  tell({ from: now, to: now, sales: 0, transactions, latest: [], as_of: asOf() })
}
setInterval(() => tellBlocks(0), 1_000)

function answerOf(path: string, query: URLSearchParams, cookie: string): Answer {
  if (path === '/api/v1/network') return ok(network())
  if (path === '/api/v1/outlets') return ok(outlets)
  if (path === '/api/v1/consents')
    return listed(query.get('in_force') ? consents.filter((one) => one.in_force) : consents, query)
  if (path === '/api/v1/recordings') return listed(recordings, query)
  if (path.startsWith('/api/v1/consents/'))
    return consentAnswer(path.slice('/api/v1/consents/'.length))
  if (path === '/api/v1/outlets/1/cameras')
    return cookie.includes('hotpot_watch=')
      ? ok(cameras)
      : problem(401, 'not_signed', 'sign to look at the cameras')
  return problem(404, 'not_found', `the stand-in has no ${path}`)
}

function sendFile(path: string, response: ServerResponse, folder = dist) {
  const file = new URL(path === '/' ? 'index.html' : `.${path}`, folder)
  if (!file.href.startsWith(folder.href) || !existsSync(file))
    return send(problem(404, 'not_found', `there is no page ${path}`), response)
  response
    .writeHead(200, {
      'content-type': TYPES[extname(file.pathname)] ?? 'application/octet-stream',
      'content-security-policy': CSP,
    })
    .end(readFileSync(file))
}

function send({ status, body }: Answer, response: ServerResponse) {
  response
    .writeHead(status, {
      'content-type': status < 400 ? 'application/json' : 'application/problem+json',
    })
    .end(JSON.stringify(body))
}

async function serve(request: IncomingMessage, response: ServerResponse) {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://stand-in')
  if (!pathname.startsWith('/api/')) return sendFile(pathname, response)
  const preview = /^\/api\/v1\/outlets\/1\/cameras\/\d+\/preview(\/[\w.]+)$/.exec(pathname)
  if (preview && process.env.PREVIEW)
    return sendFile(preview[1] ?? '', response, pathToFileURL(`${process.env.PREVIEW}/`))
  if (pathname === '/api/v1/events') {
    readers.add(response.writeHead(200, { 'content-type': 'text/event-stream' }))
    request.on('close', () => readers.delete(response))
    return response.flushHeaders()
  }
  if (request.method !== 'POST')
    return send(answerOf(pathname, searchParams, request.headers.cookie ?? ''), response)
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  send(take(JSON.parse(Buffer.concat(chunks).toString())), response)
}

const port = Number(process.env.PORT ?? 8090)
createServer(
  (request, response) =>
    void serve(request, response).catch((cause: unknown) =>
      send(problem(400, 'bad_request', String(cause)), response),
    ),
).listen(port, '127.0.0.1')
console.log(
  `http://127.0.0.1:${port}/video.html\nhttp://127.0.0.1:${port}/consent.html?outlet=1&camera=9\nthe owner's key is ${OWNER_KEY}, the till's ${TILL_KEY}`,
)
