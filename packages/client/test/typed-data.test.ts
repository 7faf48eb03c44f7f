import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { hashTypedData } from 'viem'
import {
  approvalTypedData,
  ERASE_REASONS,
  type Field,
  type Payload,
  PURPOSES,
  purposeBits,
  purposesOf,
  type TypedData,
  type TypedValue,
  transactionTypedData,
  validatorConsentTypedData,
  watchTypedData,
  witnessTypedData,
} from '../src/index.ts'
import { digestOf, sign, signerOf } from '../src/keys.ts'
import { chain, readGenesis, vectorOf, vectors } from './vectors.ts'

/** The document's own list of transactions. */
function documentedTypes(): string[] {
  const file = new URL('../../../docs/openapi.json', import.meta.url)
  const { schemas } = JSON.parse(readFileSync(file, 'utf8')).components
  const parts = schemas.Payload.oneOf as {
    allOf: { properties?: { type: { enum: string[] } } }[]
  }[]
  return parts.flatMap(({ allOf }) => allOf.flatMap((part) => part.properties?.type.enum ?? []))
}

/** As viem takes it: its numbers are no text. */
function digestOfViem(data: TypedData): string {
  const numbered = (type: string, value: TypedValue): unknown => {
    if (typeof value === 'string') return type.startsWith('uint') ? BigInt(value) : value
    if (Array.isArray(value)) return value.map((one) => numbered(type.replace('[]', ''), one))
    const fields = data.types[type] ?? []
    return Object.fromEntries(
      fields.map((field) => [field.name, numbered(field.type, value[field.name] ?? '')]),
    )
  }
  const message = numbered(data.primaryType, data.message)
  return hashTypedData({ ...data, message } as Parameters<typeof hashTypedData>[0])
}

for (const { id, signer, transaction } of vectors.transactions) {
  test(`the digest of ${transaction.type} is the ledger’s and viem’s, and its signature is the signer’s`, () => {
    const data = transactionTypedData(chain, transaction)
    assert.equal(digestOf(data), id)
    assert.equal(digestOfViem(data), id)
    assert.equal(signerOf(data, transaction.signature), signer)
  })
}

test('every type of transaction has a vector', () => {
  const covered = new Set(vectors.transactions.map(({ transaction }) => transaction.type))
  assert.equal(covered.size, 22)
  assert.deepEqual([...covered].sort(), documentedTypes().sort())
})

test('the till’s signature under a consent is over what it witnessed', () => {
  const { transaction: consent } = vectorOf('record_consent')
  const data = witnessTypedData(chain, consent)
  assert.equal(consent.witness, vectors.till_1)
  assert.equal(signerOf(data, consent.witness_signature), vectors.till_1)
  assert.equal(digestOfViem(data), digestOf(data))
  assert.equal(
    sign(data, vectors.till_1_key),
    consent.witness_signature,
    'RFC 6979 nonces: signed again it is the same',
  )
  assert.notEqual(
    signerOf(witnessTypedData(chain, { ...consent, camera: 8 }), consent.witness_signature),
    vectors.till_1,
  )
})

test('the registrar’s signature in a registration is over what it approved', () => {
  const { transaction: register } = vectorOf('register_outlet')
  const data = approvalTypedData(chain, register)
  const { registrar } = readGenesis()
  assert.equal(signerOf(data, register.approval_signature), registrar)
  assert.equal(digestOfViem(data), digestOf(data))

  for (const change of [
    { outlet: register.outlet + 1 },
    { owner: registrar },
    { approval_ref: `0x${'11'.repeat(32)}` },
    { approval_expires_at_ms: register.approval_expires_at_ms + 1 },
  ]) {
    const changed = approvalTypedData(chain, { ...register, ...change })
    const signer = signerOf(changed, register.approval_signature)
    assert.notEqual(signer, registrar, JSON.stringify(change))
  }
})

test('the validator’s signature in a registration is over the outlet and its owner', () => {
  const { signer: owner, transaction: register } = vectorOf('register_validator')
  const { validator } = vectorOf('heartbeat').transaction
  const data = validatorConsentTypedData(chain, register.outlet, owner)
  assert.equal(signerOf(data, register.consent), validator)
  assert.equal(digestOfViem(data), digestOf(data))

  for (const changed of [
    validatorConsentTypedData(chain, register.outlet + 1, owner),
    validatorConsentTypedData(chain, register.outlet, validator),
  ])
    assert.notEqual(signerOf(changed, register.consent), validator)
})

test('every type of the protocol’s document is signed here with the same fields', () => {
  const signed = [
    ...vectors.transactions.map(({ transaction }) => transactionTypedData(chain, transaction)),
    approvalTypedData(chain, vectorOf('register_outlet').transaction),
    validatorConsentTypedData(chain, 1, vectors.till_1),
    witnessTypedData(chain, vectorOf('record_consent').transaction),
  ].flatMap(({ types: { EIP712Domain, ...types } }) => Object.entries(types).map(written))
  assert.deepEqual([...new Set(signed)].sort(), documentedStructs())
})

function written([name, fields]: [string, Field[]]): string {
  return `${name}(${fields.map((field) => `${field.type} ${field.name}`).join()})`
}

/** Of the domain of transactions: the lines of a sale are hashed without one, a checkpoint has its own. */
function documentedStructs(): string[] {
  const file = new URL('../../../docs/PROTOCOL.md', import.meta.url)
  const found =
    readFileSync(file, 'utf8').match(/\b[A-Z]\w+\(\w+(\[\])? \w+(,\w+(\[\])? \w+)*\)/g) ?? []
  return found.filter((text) => !/^(SaleLines|Line|Checkpoint)\(/.test(text)).sort()
}

test('another network, or another word of it, is another digest', () => {
  const { id, transaction: erase } = vectorOf('erase_recording')
  for (const changed of [
    transactionTypedData({ ...chain, evm_chain_id: 1 }, erase),
    transactionTypedData({ ...chain, sidechain_id: `0x${'11'.repeat(32)}` }, erase),
    transactionTypedData(chain, { ...erase, reason: 'request' }),
    transactionTypedData(chain, { ...erase, outlet: 2 }),
  ]) {
    assert.notEqual(digestOf(changed), id)
  }
})

test('typed data goes through JSON unchanged, as a wallet gets it', () => {
  for (const { transaction } of vectors.transactions) {
    const data = transactionTypedData(chain, transaction)
    assert.deepEqual(JSON.parse(JSON.stringify(data)), data)
  }
  const watch = watchTypedData(chain, 1, Number.MAX_SAFE_INTEGER)
  assert.equal(watch.message.until, '9007199254740991')
  assert.deepEqual(Object.keys(watch.types), ['EIP712Domain', 'WatchCameras'])
})

test('a signature to look at cameras is what the gateway’s own test reads', () => {
  const network = { evm_chain_id: 31337, sidechain_id: `0x${'b3'.repeat(32)}` }
  const data = watchTypedData(network, 1, 1_700_000_600_000)
  const file = new URL('../../../gateway/src/core/watch.rs', import.meta.url)
  assert.ok(
    readFileSync(file, 'utf8').includes(sign(data, `0x${'11'.repeat(32)}`)),
    'gateway/src/core/watch.rs has another one',
  )
})

test('what is none of its type is refused before it is signed', () => {
  const { transaction: sale } = vectorOf('sale')
  const bad: Payload[] = [
    { ...sale, outlet: -1 },
    { ...sale, outlet: 1.5 },
    { ...sale, outlet: 2 ** 64 },
    { ...sale, sale_id: '05' },
    { ...sale, sale_id: `${'00'.repeat(16)}05` },
    { ...sale, sale_id: 'zz'.repeat(16) },
    { ...sale, terminal: sale.terminal.slice(0, -2) },
    { ...sale, lines_hash: '' },
    { ...sale, buyer_kind: 'friend' as 'none' },
    { ...vectorOf('erase_recording').transaction, cid: 'bafk' },
    { ...vectorOf('set_bonding').transaction, bonding_ppm: 2 ** 32 },
  ]
  for (const payload of bad)
    assert.throws(() => digestOf(transactionTypedData(chain, payload)), JSON.stringify(payload))
})

test('purposes are bits, in whatever order they are named', () => {
  assert.equal(purposeBits(['recording']), 1)
  assert.equal(purposeBits(['stream', 'recording', 'stream']), 3)
  assert.deepEqual(purposesOf(3), ['recording', 'stream'])
  assert.deepEqual(purposesOf(2), ['stream'])
  for (let bits = 0; bits < 1 << PURPOSES.length; bits++)
    assert.equal(purposeBits(purposesOf(bits)), bits)
})

test('each reason to erase is another digest, and is signed by its place', () => {
  const { transaction: erase } = vectorOf('erase_recording')
  const places = ERASE_REASONS.map(
    (reason) => transactionTypedData(chain, { ...erase, reason }).message.reason,
  )
  assert.deepEqual(places, ['0', '1', '2', '3'])
})
