import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { startGateway } from './browser.ts'

const gateway = await startGateway()
const { loadNetwork, pageAfter, salePath } = await import('../src/shared/api.ts')
const { camerasOfAgent, consentsOf, recordingsOf, switchPush } = await import(
  '../src/video_management_dashboard/load.ts'
)
const { signal } = new AbortController()

beforeEach(() => {
  gateway.asked = []
  gateway.answer = { status: 200, body: { of: 'the gateway' } }
})
after(() => gateway.close())

const paths = () => gateway.asked.map(({ method, url }) => `${method} ${url}`)

test('a page asks its own gateway, for JSON', async () => {
  assert.deepEqual(await loadNetwork(signal), { of: 'the gateway' })
  assert.deepEqual(gateway.asked, [
    { method: 'GET', url: '/api/v1/network', accept: 'application/json', body: '' },
  ])
})

test('consents are those of the outlet that are in force, all at once', async () => {
  assert.deepEqual(await consentsOf(3)(signal), { of: 'the gateway' })
  assert.deepEqual(paths(), ['GET /api/v1/consents?outlet=3&in_force=true&limit=100'])
})

test('recordings are asked for page by page, of one camera or all', async () => {
  const all = recordingsOf({ outlet: 3, camera: null })
  await all(pageAfter(20, null), signal)
  await all(pageAfter(50, '7.1'), signal)
  await recordingsOf({ outlet: 3, camera: 0 })(pageAfter(20, null), signal)
  assert.deepEqual(paths(), [
    'GET /api/v1/recordings?outlet=3&limit=20',
    'GET /api/v1/recordings?outlet=3&limit=50&cursor=7.1',
    'GET /api/v1/recordings?outlet=3&camera=0&limit=20',
  ])
})

test('the agent is asked through the gateway, and told to stop or go on', async () => {
  await camerasOfAgent(3)(signal)
  await switchPush(3, 7, false)
  await switchPush(3, 7, true)
  assert.deepEqual(paths(), [
    'GET /api/v1/outlets/3/cameras',
    'PUT /api/v1/outlets/3/cameras/7/push',
    'PUT /api/v1/outlets/3/cameras/7/push',
  ])
  assert.deepEqual(
    gateway.asked.map(({ body }) => body),
    ['', '{"on":false}', '{"on":true}'],
  )
})

test('what nobody wants any more is not asked for', async () => {
  const reason = new Error('another outlet')
  const aborted = AbortSignal.abort(reason)
  for (const asking of [
    loadNetwork,
    consentsOf(3),
    camerasOfAgent(3),
    (gone: AbortSignal) => recordingsOf({ outlet: 3, camera: null })({ limit: 20 }, gone),
  ])
    await assert.rejects(asking(aborted), reason)
  assert.deepEqual(gateway.asked, [])
})

test('a refusal is an error with its status', async () => {
  gateway.answer = { status: 401, body: { type: 'urn:hotpot:problem:not_signed' } }
  await assert.rejects(camerasOfAgent(3)(signal), { status: 401, code: 'not_signed' })
})

test('the path of a sale is where the gateway answers it', () => {
  assert.equal(salePath(1, '00ff'), '/api/v1/sales/1/00ff')
})
