/** Asking a gateway: every path, parameter and answer is typed by the OpenAPI document. */
import createFetchClient, { type ClientOptions, type Client as FetchClient } from 'openapi-fetch'
import type { Problem, paths } from './schema.ts'

export type Client = FetchClient<paths>

const REQUEST_TIMEOUT_MS = 10_000
/** A transaction is answered once it is final. */
const FINAL_TIMEOUT_MS = 30_000

/**
 * `createClient({ baseUrl: 'https://…' })`; a page that the gateway serves needs no `baseUrl`. A request takes at most
 * ten seconds, a POST thirty, so the stream of events is for an `EventSource`. A `signal` of its own may end it earlier.
 */
export function createClient(options: ClientOptions): Client {
  const { fetch = globalThis.fetch } = options
  return createFetchClient<paths>({ ...options, fetch: (request) => fetch(bounded(request)) })
}

function bounded(request: Request): Request {
  const timeoutMs = request.method === 'POST' ? FINAL_TIMEOUT_MS : REQUEST_TIMEOUT_MS
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)])
  return new Request(request, { signal })
}

/** Why a request has no answer: the gateway's problem, or status 0 when nobody answered. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly requestId: string | null

  constructor(status: number, code: string, detail: string, requestId: string | null) {
    super(detail)
    this.name = 'ApiError'
    this.status = status
    this.code = code
    this.requestId = requestId
  }

  /** Whether nobody answered, or only somebody on the way; else the gateway answered and meant it. */
  get unreachable(): boolean {
    return this.status === 0 || (this.status >= 502 && this.status <= 504)
  }
}

interface Answered<T> {
  data?: T
  error?: unknown
  response: Response
}

/** The answer. Throws nothing but `ApiError`, or the abort of `signal`. */
export async function unwrap<T>(
  request: Promise<Answered<T>>,
  signal?: AbortSignal,
): Promise<NonNullable<T>> {
  const { data, error, response } = await request.catch((cause: unknown) => {
    throw signal?.aborted ? cause : noAnswer(cause)
  })
  if (response.ok && data !== undefined && data !== null) return data
  if (response.ok)
    throw new ApiError(502, 'not_json', `${response.url} did not answer with JSON`, idOf(response))
  throw refusal(response, error)
}

/** openapi-fetch reads the body itself: what is not JSON fails there. */
function noAnswer(cause: unknown): ApiError {
  if (cause instanceof SyntaxError)
    return new ApiError(502, 'not_json', `the answer is not JSON: ${cause.message}`, null)
  const detail = cause instanceof Error ? cause.message : String(cause)
  return new ApiError(0, 'no_answer', `no answer: ${detail}`, null)
}

function refusal(response: Response, body: unknown): ApiError {
  const { type, detail, request_id } = problemOf(body)
  return new ApiError(
    response.status,
    type?.split(':').at(-1) ?? `http_${response.status}`,
    detail ?? `HTTP status ${response.status}`,
    request_id ?? idOf(response),
  )
}

/** What a body has of a problem: who answers on the way may answer with any JSON. */
function problemOf(body: unknown): Partial<Pick<Problem, 'type' | 'detail' | 'request_id'>> {
  const fields = typeof body === 'object' && body !== null ? Object.entries(body) : []
  return Object.fromEntries(fields.filter(([, value]) => typeof value === 'string'))
}

function idOf(response: Response): string | null {
  return response.headers.get('x-request-id')
}
