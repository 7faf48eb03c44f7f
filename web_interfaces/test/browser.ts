/** What modules without a DOM find in a browser. A gateway really answers; the rest is played by the test. */
import { createServer } from 'node:http'
import type { Source } from '../src/shared/stream.ts'
import type { Wallet } from '../src/shared/wallet.ts'

export interface Asked {
  method: string
  url: string
  accept: string
  body: string
}

export interface Gateway {
  asked: Asked[]
  /** How it answers from now on. */
  answer: { status: number; body: unknown }
  close(): void
}

/** Paths are its own, as they are for a page that it serves: to be called before `src/shared/api.ts` is loaded. */
export async function startGateway(): Promise<Gateway> {
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request
    let body = ''
    for await (const chunk of request) body += chunk
    gateway.asked.push({ method, url, accept: headers.accept ?? '', body })
    response.writeHead(gateway.answer.status).end(JSON.stringify(gateway.answer.body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  const gateway: Gateway = { asked: [], answer: { status: 200, body: {} }, close }

  globalThis.Request = class extends Request {
    constructor(input: RequestInfo | URL, init?: RequestInit) {
      super(typeof input === 'string' && input.startsWith('/') ? origin + input : input, init)
    }
  }
  return gateway
}

/** The reader's wallet; without one there is none. */
export function giveWallet(wallet: Wallet | null): void {
  Object.assign(globalThis, { ethereum: wallet ?? undefined })
}

/** A browser's storage; with a limit of 0 it keeps nothing. */
export function giveStorage(name: 'localStorage' | 'sessionStorage', limit = Infinity): void {
  const kept = new Map<string, string>()
  const value = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, text: string) => {
      if (text.length > limit) throw new DOMException('it is full', 'QuotaExceededError')
      kept.set(key, text)
    },
  }
  Object.defineProperty(globalThis, name, { value, configurable: true })
}

/** A browser that forbids a page to keep anything. */
export function forbidStorage(name: 'localStorage' | 'sessionStorage'): void {
  const get = () => {
    throw new DOMException('not here', 'SecurityError')
  }
  Object.defineProperty(globalThis, name, { get, configurable: true })
}

type Listener = (event: { data: string; lastEventId: string }) => void

/** The browser's EventSource. */
export class Played implements Source {
  static all: Played[] = []
  onopen: (() => void) | null = null
  onerror: (() => void) | null = null
  closed = false
  readonly url: string
  readonly #listeners = new Map<string, Listener>()

  constructor(url: string) {
    this.url = url
    Played.all.push(this)
  }

  addEventListener(name: string, listener: Listener) {
    this.#listeners.set(name, listener)
  }

  send(name: string, lastEventId: string, data: string) {
    this.#listeners.get(name)?.({ data, lastEventId })
  }

  close() {
    this.closed = true
  }
}
