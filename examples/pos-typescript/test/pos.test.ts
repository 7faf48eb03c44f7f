/** The till as it is run, against a server that answers as a node does, and as nodes do when they are in trouble. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { type SaleRequest, saleTypedData } from 'hotpot-client'
import { addressOf, newKey, signerOf } from 'hotpot-client/keys'
import { Keystore } from 'ox'

type Answering = (response: ServerResponse) => void

const chain = { evm_chain_id: 31337, sidechain_id: `0x${'b3'.repeat(32)}` }
const FACTS: Record<string, unknown> = {
  '/api/v1/genesis': { evm_chain_id: chain.evm_chain_id },
  '/api/v1/blocks/latest': { header: { sidechain_id: chain.sidechain_id } },
  '/api/v1/outlets': [{ outlet: 3, currency: 'GEL' }],
}
const key = newKey()
const folder = mkdtempSync(join(tmpdir(), 'pos-'))
const keystore = join(folder, 'terminal.json')
/** How each sale is answered, one after the other; then again as the last one. */
let answers: Answering[] = []
let posted: string[] = []

const server = createServer(async (request, response) => {
  if (request.method === 'GET') {
    const fact = FACTS[request.url ?? '']
    return response.writeHead(fact ? 200 : 404).end(JSON.stringify(fact ?? {}))
  }
  let body = ''
  for await (const chunk of request) body += chunk
  posted.push(body)
  answers[Math.min(posted.length, answers.length) - 1]?.(response)
})
let url = ''

before(async () => {
  const [secret, options] = Keystore.pbkdf2({ password: 'secret', iterations: 10 })
  writeFileSync(keystore, JSON.stringify(Keystore.encrypt(key as `0x${string}`, secret, options)))
  writeFileSync(join(folder, 'passphrase'), 'secret\n')
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
})
beforeEach(() => {
  posted = []
  answers = [recorded]
})
after(() => {
  server.closeAllConnections()
  server.close()
  rmSync(folder, { recursive: true })
})

const recorded: Answering = (response) => response.writeHead(201).end('{"status": "final"}')
const busy: Answering = (response) =>
  response.writeHead(503, { 'retry-after': '0' }).end('{"detail": "too many sales wait"}')

async function run(lines: string[], settings: Record<string, string> = {}) {
  const given = { POS_KEY_FILE: keystore, POS_URL: url, POS_OUTLET: '3', ...settings }
  const till = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', 'pos.ts', ...lines],
    { cwd: join(import.meta.dirname, '..'), env: { ...process.env, ...given } },
  )
  let [printed, complaint] = ['', '']
  till.stdout.on('data', (text) => {
    printed += text
  })
  till.stderr.on('data', (text) => {
    complaint += text
  })
  const code = await new Promise((resolve) => till.on('close', resolve))
  return { code, printed, complaint }
}

test('a sale is signed by the terminal and stands', async () => {
  const { code, printed } = await run(['khinkali:2:849', 'tea:1:300:Tea with lemon'])
  const sale: SaleRequest = JSON.parse(posted[0] ?? '')
  assert.equal(signerOf(saleTypedData(chain, sale), sale.signature), addressOf(key))
  assert.deepEqual(sale.lines, [
    { sku: 'khinkali', name: 'khinkali', quantity: 2, unit_price: 849 },
    { sku: 'tea', name: 'Tea with lemon', quantity: 1, unit_price: 300 },
  ])
  assert.deepEqual([sale.outlet, sale.currency, sale.total], [3, 'GEL', 1998])
  assert.equal(sale.buyer_kind, 'none')
  assert.deepEqual(JSON.parse(printed), {
    outlet: 3,
    sale_id: sale.sale_id,
    status: 201,
    answer: { status: 'final' },
  })
  assert.equal(code, 0)
  assert.equal(posted.length, 1)
})

test('a buyer’s wallet is named in what is signed', async () => {
  const buyer = `0x${'b2'.repeat(20)}`
  await run(['khinkali:2:849'], { POS_BUYER: buyer })
  const sale: SaleRequest = JSON.parse(posted[0] ?? '')
  assert.deepEqual([sale.buyer_kind, sale.buyer], ['wallet', buyer])
  assert.equal(signerOf(saleTypedData(chain, sale), sale.signature), addressOf(key))
})

test('after 503 the same body is sent again', async () => {
  answers = [busy, busy, recorded]
  const { code } = await run(['khinkali:2:849'])
  assert.equal(code, 0)
  assert.equal(posted.length, 3)
  assert.equal(new Set(posted).size, 1)
})

test('after a lost answer, or a page of somebody on the way, the same body is sent again', async () => {
  const lost: Answering = (response) => response.destroy()
  const page: Answering = (response) => response.writeHead(200).end('<html>log in</html>')
  for (const trouble of [lost, page]) {
    posted = []
    answers = [trouble, (response) => response.writeHead(200).end('{"status": "final"}')]
    const { code, printed } = await run(['khinkali:2:849'])
    assert.equal(code, 0)
    assert.equal(JSON.parse(printed).status, 200)
    assert.equal(posted.length, 2)
    assert.equal(posted[1], posted[0])
  }
})

test('a refusal is final, and its reason is printed', async () => {
  const detail = 'the terminal is revoked'
  answers = [(response) => response.writeHead(403).end(JSON.stringify({ detail }))]
  const { code, printed } = await run(['khinkali:2:849'])
  assert.equal(code, 1)
  assert.equal(JSON.parse(printed).answer.detail, detail)
  assert.equal(posted.length, 1)
})

test('it gives up after eight times, and says what it heard last', async () => {
  answers = [busy]
  const { code, complaint } = await run(['khinkali:2:849'])
  assert.equal(code, 1)
  assert.equal(posted.length, 8)
  assert.match(complaint, /^pos: no answer after 8 attempts.*too many sales wait/)
})

test('what cannot be sold is not sent', async () => {
  const refused: [string[], Record<string, string>, RegExp][] = [
    [[], {}, /usage:/],
    [['khinkali'], {}, /khinkali is no line/],
    [['khinkali:2:8.49'], {}, /is no line/],
    [['khinkali:2:849'], { POS_OUTLET: '4' }, /outlet 4 is not registered; there are 3/],
    [['khinkali:2:849'], { POS_URL: `${url}/elsewhere` }, /answered 404/],
    [['khinkali:2:849'], { POS_KEY_FILE: join(folder, 'none') }, /ENOENT/],
  ]
  const check = async ([lines, settings, words]: (typeof refused)[number]) => {
    const { code, complaint } = await run(lines, settings)
    assert.equal(code, 1, complaint)
    assert.match(complaint, words)
  }
  await Promise.all(refused.map(check))
  assert.deepEqual(posted, [])
})
