import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  addressOf,
  commitmentOf,
  digestOf,
  newKey,
  randomSalt,
  sign,
  signerOf,
} from '../src/consent/keys.ts'
import { cidBytes } from '../src/shared/cid.ts'
import {
  type Payload,
  purposeBits,
  purposesOf,
  type RecordConsent,
  transactionTypedData,
  watchTypedData,
  witnessTypedData,
} from '../src/shared/typed.ts'

interface Vector {
  id: string
  signer: string
  encoded: string
  transaction: Payload & { signature: string }
}
interface Vectors {
  evm_chain_id: number
  sidechain_id: string
  till_1: string
  till_1_key: string
  transactions: Vector[]
}

/** The bytes that the ledger's own tests freeze. */
const read = (name: string) =>
  JSON.parse(
    readFileSync(
      new URL(`../../crates/domain/tests/vectors/${name}.json`, import.meta.url),
      'utf8',
    ),
  )
const vectors: Vectors = { ...read('transactions'), evm_chain_id: read('transactions').chain_id }
const ofType = (type: string) =>
  vectors.transactions.filter(({ transaction }) => transaction.type === type)

for (const type of ['record_consent', 'revoke_consent', 'erase_recording']) {
  test(`the digest of ${type} is the ledger’s, and its signature is the signer’s`, () => {
    assert.ok(ofType(type).length > 0, 'there is a vector')
    for (const { id, signer, transaction } of ofType(type)) {
      const data = transactionTypedData(vectors, transaction)
      assert.equal(digestOf(data), id)
      assert.equal(signerOf(data, transaction.signature), signer)
    }
  })
}

test('the till’s signature under a consent is over what it witnessed', () => {
  const consent = ofType('record_consent')[0]?.transaction as RecordConsent
  const data = witnessTypedData(vectors, consent)
  assert.equal(consent.witness, vectors.till_1)
  assert.equal(signerOf(data, consent.witness_signature), vectors.till_1)
  assert.equal(
    sign(data, vectors.till_1_key),
    consent.witness_signature,
    'RFC 6979 nonces: signed again it is the same',
  )
  assert.notEqual(
    signerOf(witnessTypedData(vectors, { ...consent, camera: 8 }), consent.witness_signature),
    vectors.till_1,
  )
})

test('another network, or another word of it, is another digest', () => {
  const [vector] = ofType('erase_recording')
  const erase = vector?.transaction as Payload & { type: 'erase_recording' }
  for (const changed of [
    transactionTypedData({ ...vectors, evm_chain_id: 1 }, erase),
    transactionTypedData({ ...vectors, sidechain_id: `0x${'11'.repeat(32)}` }, erase),
    transactionTypedData(vectors, { ...erase, reason: 'request' }),
    transactionTypedData(vectors, { ...erase, outlet: 2 }),
  ]) {
    assert.notEqual(digestOf(changed), vector?.id)
  }
})

test('typed data goes through JSON unchanged, as a wallet gets it', () => {
  const data = watchTypedData(vectors, 1, Number.MAX_SAFE_INTEGER)
  assert.deepEqual(JSON.parse(JSON.stringify(data)), data)
  assert.equal(data.message.until, '9007199254740991')
  assert.deepEqual(Object.keys(data.types), ['EIP712Domain', 'WatchCameras'])
})

test('a signature to look at cameras is what the gateway’s own test reads', () => {
  const data = watchTypedData(
    { evm_chain_id: 31337, sidechain_id: `0x${'b3'.repeat(32)}` },
    1,
    1_700_000_600_000,
  )
  const rust = readFileSync(new URL('../../gateway/src/core/watch.rs', import.meta.url), 'utf8')
  assert.ok(
    rust.includes(sign(data, `0x${'11'.repeat(32)}`)),
    'gateway/src/core/watch.rs has another one',
  )
})

test('a key made here signs for its own address, and no two are alike', () => {
  const key = newKey()
  const data = transactionTypedData(vectors, { type: 'revoke_consent', consent: randomSalt() })
  const signature = sign(data, key)
  assert.match(signature, /^0x[0-9a-f]{128}1[bc]$/)
  assert.equal(signerOf(data, signature), addressOf(key))
  assert.notEqual(newKey(), key)
  assert.equal(addressOf(vectors.till_1_key), vectors.till_1)
})

test('no signature is nobody’s', () => {
  const data = watchTypedData(vectors, 1, 1)
  for (const signature of [
    '',
    '0x',
    '0xzz',
    `0x${'00'.repeat(65)}`,
    `0x${'ff'.repeat(65)}`,
    `0x${'11'.repeat(64)}`,
  ]) {
    assert.equal(signerOf(data, signature), null, signature)
  }
})

test('a commitment is keccak of the salt and the reference', () => {
  // Of `cast keccak` over 32 zero bytes and nothing.
  assert.equal(
    commitmentOf(`0x${'00'.repeat(32)}`, ''),
    '0x290decd9548b62a8d60345a988386fc84ba6bc95484008f6362f93160ef3e563',
  )
  assert.notEqual(commitmentOf(randomSalt(), 'table 3'), commitmentOf(randomSalt(), 'table 3'))
})

test('content ids have their bytes, as the ledger encodes them, or none', () => {
  for (const { entry, encoded } of read('recordings').recordings as {
    entry: { cid: string }
    encoded: string
  }[]) {
    const bytes = cidBytes(entry.cid)
    assert.equal(bytes?.length, 74)
    assert.ok(encoded.includes((bytes ?? '').slice(2)))
  }
  const good = 'bafkreiheit3zw2t6q226lf2m3j6kzmpejt2bj73xthooheqekq2bwybkm4'
  for (const bad of [
    '',
    'b',
    good.slice(0, -1),
    `${good}a`,
    good.toUpperCase(),
    `z${good.slice(1)}`,
    good.replace('bafk', 'bbfk'),
    `${good.slice(0, -1)}5`,
    'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG',
  ]) {
    assert.equal(cidBytes(bad), null, bad)
  }
})

test('purposes are bits, in whatever order they are named', () => {
  assert.equal(purposeBits(['recording']), 1)
  assert.equal(purposeBits(['stream', 'recording', 'stream']), 3)
  assert.deepEqual(purposesOf(3), ['recording', 'stream'])
  assert.deepEqual(purposesOf(2), ['stream'])
})
