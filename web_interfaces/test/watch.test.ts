import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { type OutletAnswer, watchTypedData } from 'hotpot-client'
import { addressOf, newKey, sign, signerOf } from 'hotpot-client/keys'
import { forbidStorage, giveStorage, giveWallet, startGateway } from './browser.ts'

const gateway = await startGateway()
const { askAgent, openUntil, previewPath, signToWatch } = await import(
  '../src/video_management_dashboard/watch.ts'
)

const HALF_HOUR_MS = 30 * 60_000
const chain = { evm_chain_id: 31337, sidechain_id: `0x${'b3'.repeat(32)}` }
const owner = newKey()
const outlet = { outlet: 3, owner: addressOf(owner), terminals: [] as unknown[] } as OutletAnswer
const { signal } = new AbortController()
const page = { cookie: '', protocol: 'https:' }

beforeEach(() => {
  gateway.asked = []
  page.cookie = ''
  page.protocol = 'https:'
  Object.assign(globalThis, { document: page, location: page })
  giveStorage('sessionStorage')
  giveWalletOf(owner)
})
after(() => gateway.close())

function giveWalletOf(key: string) {
  giveWallet({
    request: async ({ method, params = [] }) => {
      if (method === 'eth_requestAccounts') return [addressOf(key)]
      if (method === 'eth_chainId') return '0x7a69'
      return sign(JSON.parse(String(params[1])), key)
    },
  })
}

test('the owner signs to look for half an hour, as a cookie of the cameras alone', async () => {
  const before = Date.now()
  const until = await signToWatch(outlet, chain)
  assert.ok(until >= before + HALF_HOUR_MS && until <= Date.now() + HALF_HOUR_MS)

  const [cookie = '', ...limits] = page.cookie.split('; ')
  const [, end, signature = ''] = /^hotpot_watch=(\d+)\.(0x[0-9a-f]{130})$/.exec(cookie) ?? []
  assert.equal(Number(end), until)
  assert.equal(signerOf(watchTypedData(chain, 3, until), signature), addressOf(owner))
  assert.deepEqual(limits, [
    'Path=/api/v1/outlets/3/cameras',
    'Max-Age=1800',
    'SameSite=Strict',
    'Secure',
  ])
  assert.ok(previewPath(3, 7).startsWith('/api/v1/outlets/3/cameras/'), 'the picture gets it too')
})

test('on a page without TLS the cookie goes without, or it would not be kept', async () => {
  page.protocol = 'http:'
  await signToWatch(outlet, chain)
  assert.match(page.cookie, /SameSite=Strict$/)
})

test('the outlet’s video agent may look, a stranger is told before anything is signed', async () => {
  const agent = newKey()
  const terminals = [{ address: addressOf(agent), kind: 'video_agent', active: true }]
  giveWalletOf(agent)
  await signToWatch({ ...outlet, terminals } as OutletAnswer, chain)
  assert.notEqual(page.cookie, '')

  page.cookie = ''
  await assert.rejects(signToWatch(outlet, chain), /neither the owner nor a video agent/)
  assert.equal(page.cookie, '')
  assert.equal(openUntil(4), 0)
})

test('a reload within the half hour does not ask the wallet again', async () => {
  assert.equal(openUntil(3), 0)
  const until = await signToWatch(outlet, chain)
  assert.equal(openUntil(3), until)
  assert.equal(openUntil(4), 0, 'another outlet is another signature')
  sessionStorage.setItem('hotpot.watch.3', String(Date.now() - 1))
  assert.equal(openUntil(3), 0, 'it is over')
})

test('a browser that keeps nothing looks all the same', async () => {
  giveStorage('sessionStorage', 0)
  assert.ok((await signToWatch(outlet, chain)) > Date.now())
  assert.equal(openUntil(3), 0)
  forbidStorage('sessionStorage')
  assert.ok((await signToWatch(outlet, chain)) > Date.now())
  assert.equal(openUntil(3), 0)
})

test('each answer of the agent has its state', async () => {
  const cameras = [{ camera: 7 }]
  gateway.answer = { status: 200, body: cameras }
  assert.deepEqual(await askAgent(3, signal), { state: 'open', cameras })
  assert.equal(gateway.asked[0]?.url, '/api/v1/outlets/3/cameras')
  for (const [status, state] of [
    [401, 'locked'],
    [403, 'locked'],
    [404, 'none'],
    [500, 'away'],
    [502, 'away'],
  ] as const) {
    gateway.answer = { status, body: {} }
    assert.deepEqual(await askAgent(3, signal), { state, cameras: [] }, String(status))
  }
})
