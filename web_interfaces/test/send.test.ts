import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { ApiError, type NetworkOverview, type Payload, transactionTypedData } from 'hotpot-client'
import { addressOf, newKey, sign, signerOf } from 'hotpot-client/keys'
import type { Kept } from '../src/consent/kept.ts'
import { giveWallet, startGateway } from './browser.ts'

const gateway = await startGateway()
const { idOf, record, revoke } = await import('../src/consent/send.ts')

const chain = { evm_chain_id: 31337, sidechain_id: `0x${'b3'.repeat(32)}` }
const network = chain as NetworkOverview
const key = newKey()
const witnessed: Kept = {
  sidechain_id: chain.sidechain_id,
  outlet: 1,
  camera: 7,
  purposes: ['recording'],
  commitment: `0x${'a4'.repeat(32)}`,
  guest: addressOf(key),
  until_ms: 1_700_000_600_000,
  key,
  salt: `0x${'05'.repeat(32)}`,
  reference: 'outlet 1, camera 7',
  witness: `0x${'22'.repeat(20)}`,
  witness_signature: `0x${'33'.repeat(65)}`,
  id: `0x${'44'.repeat(32)}`,
  recorded: false,
}

beforeEach(() => {
  gateway.asked = []
  gateway.answer = { status: 201, body: { status: 'final' } }
  giveWallet(null)
})
after(() => gateway.close())

/** What the gateway got, and who signed it. */
function sent(): { payload: Payload; signer: string | null } {
  const [asked, ...others] = gateway.asked
  assert.deepEqual([asked?.method, asked?.url], ['POST', '/api/v1/transactions'])
  assert.deepEqual(others, [])
  const { signature, ...payload } = JSON.parse(asked?.body ?? '')
  return { payload, signer: signerOf(transactionTypedData(chain, payload), signature) }
}

test('the guest’s one-time key signs what the till witnessed, and nothing of the key is sent', async () => {
  await record(witnessed, network)
  const { payload, signer } = sent()
  assert.deepEqual(payload, {
    type: 'record_consent',
    outlet: 1,
    camera: 7,
    purposes: ['recording'],
    commitment: witnessed.commitment,
    guest: witnessed.guest,
    until_ms: witnessed.until_ms,
    witness: witnessed.witness,
    witness_signature: witnessed.witness_signature,
  })
  assert.equal(signer, witnessed.guest)
})

test('sent again it is the same transaction', async () => {
  await record(witnessed, network)
  await record(witnessed, network)
  assert.equal(gateway.asked[1]?.body, gateway.asked[0]?.body)
})

test('its id is known before it is sent, but not before the till has signed', async () => {
  const id = await idOf(witnessed, network)
  assert.match(id ?? '', /^0x[0-9a-f]{64}$/)
  assert.notEqual(await idOf({ ...witnessed, camera: 8 }, network), id)

  const asked = { ...witnessed, witness: null, witness_signature: null }
  assert.equal(await idOf(asked, network), null)
  await assert.rejects(record(asked, network), /not signed yet/)
  assert.deepEqual(gateway.asked, [])
})

test('a guest with a wallet signs with the wallet', async () => {
  const wallets = newKey()
  giveWallet({
    request: async ({ method, params = [] }) => {
      if (method === 'eth_chainId') return '0x7a69'
      assert.equal(method, 'eth_signTypedData_v4')
      assert.equal(params[0], addressOf(wallets))
      return sign(JSON.parse(String(params[1])), wallets)
    },
  })
  await record({ ...witnessed, guest: addressOf(wallets), key: null }, network)
  assert.equal(sent().signer, addressOf(wallets))
})

test('without the wallet that the consent was made with nothing is sent', async () => {
  await assert.rejects(revoke({ ...witnessed, key: null }, network), { problem: 'none' })
  assert.deepEqual(gateway.asked, [])
})

test('a guest takes the consent back by its id', async () => {
  await revoke(witnessed, network)
  assert.deepEqual(sent(), {
    payload: { type: 'revoke_consent', consent: witnessed.id },
    signer: witnessed.guest,
  })
})

test('a refusal is told with its reason', async () => {
  const type = 'urn:hotpot:problem:unknown_consent'
  gateway.answer = { status: 422, body: { type, detail: 'not in the ledger' } }
  const failure = await revoke(witnessed, network).catch((cause: unknown) => cause)
  assert.ok(failure instanceof ApiError)
  assert.deepEqual([failure.code, failure.message], ['unknown_consent', 'not in the ledger'])
})
