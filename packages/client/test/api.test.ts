import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { after, before, beforeEach, mock, test } from 'node:test'
import { ApiError, chainOf, createClient, newSale, postSale, unwrap } from '../src/index.ts'
import { signSale } from '../src/keys.ts'
import { chain, vectors } from './vectors.ts'

type Answering = (request: IncomingMessage, response: ServerResponse) => void

/** How the gateway answers; each test sets it. */
let answering: Answering = (_, response) => response.end()
let heard: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = []
const server = createServer(async (request, response) => {
  const { method = '', url = '', headers } = request
  let body = ''
  for await (const chunk of request) body += chunk
  heard.push({ method, url, headers, body })
  answering(request, response)
})
let baseUrl = ''

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  baseUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
})
beforeEach(() => {
  heard = []
})
after(() => {
  server.closeAllConnections()
  server.close()
})

function answerWith(status: number, body: string, headers: Record<string, string> = {}) {
  answering = (_, response) => response.writeHead(status, headers).end(body)
}

const client = () => createClient({ baseUrl })
const network = (signal?: AbortSignal) =>
  unwrap(client().GET('/api/v1/network', signal ? { signal } : {}), signal)

/** How a request failed. */
async function failureOf(request: Promise<unknown>): Promise<ApiError> {
  const cause = await request.then(
    () => assert.fail('it was answered'),
    (found: unknown) => found,
  )
  assert.ok(cause instanceof ApiError, String(cause))
  return cause
}

test('an answer is given as it is', async () => {
  answerWith(200, JSON.stringify(chain), { 'content-type': 'application/json' })
  assert.deepEqual(await network(), chain)
  assert.deepEqual(await chainOf(client()), chain)
  assert.equal(heard[0]?.url, '/api/v1/network')
})

test('parameters go where the path and the query have them, escaped', async () => {
  answerWith(200, '{}')
  const params = { path: { outlet: 1, sale_id: 'a/b' } }
  await unwrap(client().GET('/api/v1/sales/{outlet}/{sale_id}', { params }))
  const query = { limit: 20, cursor: 'a&b', in_force: true }
  await unwrap(client().GET('/api/v1/consents', { params: { query } }))
  assert.deepEqual(
    heard.map(({ url }) => url),
    ['/api/v1/sales/1/a%2Fb', '/api/v1/consents?limit=20&cursor=a%26b&in_force=true'],
  )
})

test('a sale is posted as JSON, and sent again it is the same body', async () => {
  answerWith(201, '{"status": "final"}', { 'content-type': 'application/json' })
  const known = { outlet: 1, terminal: vectors.till_1, currency: 'GEL', lines: vectors.lines }
  const sale = signSale(chain, newSale(known), vectors.till_1_key)
  assert.deepEqual(await postSale(client(), sale), { status: 'final' })
  await postSale(client(), sale)
  assert.equal(heard[0]?.method, 'POST')
  assert.equal(heard[0]?.headers['content-type'], 'application/json')
  assert.deepEqual(JSON.parse(heard[0]?.body ?? ''), sale)
  assert.equal(heard[1]?.body, heard[0]?.body)
})

test('a refusal has the code, the status, the words and the id of its problem', async () => {
  const problem = {
    type: 'urn:hotpot:problem:outlet_unknown',
    title: 'outlet unknown',
    status: 422,
    detail: 'outlet 7 is not registered',
    request_id: 'r-1',
  }
  answerWith(422, JSON.stringify(problem), {
    'content-type': 'application/problem+json',
    'x-request-id': 'r-2',
  })
  const failure = await failureOf(network())
  assert.equal(failure.name, 'ApiError')
  assert.equal(failure.code, 'outlet_unknown')
  assert.equal(failure.status, 422)
  assert.equal(failure.message, problem.detail)
  assert.equal(failure.requestId, 'r-1')
  assert.equal(failure.unreachable, false)
})

test('an error page of somebody on the way is an error with the id of its header', async () => {
  for (const body of ['<html>Bad Gateway</html>', '', '7', 'null', '"x"', '[]', '{"type": 5}']) {
    answerWith(502, body, { 'content-type': 'text/html', 'x-request-id': 'r-2' })
    const failure = await failureOf(network())
    assert.equal(failure.code, 'http_502', body)
    assert.equal(failure.status, 502, body)
    assert.equal(failure.message, 'HTTP status 502', body)
    assert.equal(failure.requestId, 'r-2', body)
    assert.equal(failure.unreachable, true, body)
  }
})

test('a problem may lack all but its type', async () => {
  answerWith(404, '{"type": "urn:hotpot:problem:not_found"}')
  const failure = await failureOf(network())
  assert.equal(failure.code, 'not_found')
  assert.equal(failure.message, 'HTTP status 404')
  assert.equal(failure.requestId, null)
  assert.equal(failure.unreachable, false)
})

test('only 0 and 502 to 504 are nobody’s answer', () => {
  for (let status = 100; status < 600; status++) {
    const failure = new ApiError(status, 'x', 'x', null)
    assert.equal(failure.unreachable, [502, 503, 504].includes(status), String(status))
  }
  assert.equal(new ApiError(0, 'x', 'x', null).unreachable, true)
})

test('a success that is not JSON is no answer of a gateway', async () => {
  for (const body of ['<html>log in</html>', '{"a": ', 'null', '']) {
    for (const length of [{}, { 'content-length': String(body.length) }]) {
      answering = (_, response) => {
        response.writeHead(200, length)
        response.write(body)
        response.end()
      }
      const failure = await failureOf(network())
      assert.equal(failure.code, 'not_json', body)
      assert.equal(failure.status, 502, body)
      assert.equal(failure.unreachable, true, body)
    }
  }
})

test('a refused connection has status 0', async () => {
  const gone = createServer()
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve))
  const address = gone.address()
  await new Promise((resolve) => gone.close(resolve))
  const away = createClient({
    baseUrl: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
  })
  const failure = await failureOf(unwrap(away.GET('/api/v1/network')))
  assert.equal(failure.status, 0)
  assert.equal(failure.code, 'no_answer')
  assert.equal(failure.requestId, null)
  assert.equal(failure.unreachable, true)
})

test('a connection that is lost within the answer has status 0', async () => {
  answering = (_, response) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('{"evm_chain_id"')
    setImmediate(() => response.destroy())
  }
  assert.equal((await failureOf(network())).status, 0)
})

test('who aborts gets the abort back, before and within the answer', async () => {
  const reason = new Error('another page')
  await assert.rejects(network(AbortSignal.abort(reason)), reason)

  const abort = new AbortController()
  answering = (_, response) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('{')
    setTimeout(() => abort.abort(), 20)
  }
  await assert.rejects(network(abort.signal), { name: 'AbortError' })
})

test('a request is ended when its time is over: ten seconds, a POST thirty', async () => {
  const asked: number[] = []
  const timeout = AbortSignal.timeout.bind(AbortSignal)
  const shortened = mock.method(AbortSignal, 'timeout', (ms: number) => {
    asked.push(ms)
    return timeout(50)
  })
  const post = () =>
    client().POST('/api/v1/transactions', {
      body: { type: 'revoke_consent', consent: '0x', signature: '0x' },
    })
  const silent: Answering = () => {}
  const half: Answering = (_, response) => response.writeHead(200).write('{')
  try {
    for (const behaviour of [silent, half]) {
      answering = behaviour
      for (const request of [network(), unwrap(post())]) {
        const failure = await failureOf(request)
        assert.equal(failure.status, 0)
        assert.equal(failure.code, 'no_answer')
      }
    }
  } finally {
    shortened.mock.restore()
  }
  assert.deepEqual(asked, [10_000, 30_000, 10_000, 30_000])
})

test('another fetch may be given, and gets what would be sent', async () => {
  const requests: Request[] = []
  const played = createClient({
    baseUrl: 'http://gateway',
    fetch: async (request) => {
      requests.push(request)
      return Response.json({ sidechain_id: '0x', evm_chain_id: 1 })
    },
  })
  assert.deepEqual(await chainOf(played), { sidechain_id: '0x', evm_chain_id: 1 })
  assert.equal(requests[0]?.url, 'http://gateway/api/v1/network')
})
