import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type WitnessedConsent, witnessTypedData } from 'hotpot-client'
import { addressOf, commitmentOf, newKey, randomSalt, sign, signerOf } from 'hotpot-client/keys'
import {
  answered,
  type Kept,
  keptFor,
  parseKept,
  recordOf,
  referenceOf,
  requestOf,
  stepOf,
  storage,
  withKept,
  withoutKept,
} from '../src/consent/kept.ts'
import { forbidStorage, giveStorage } from './browser.ts'

const NOW = Date.parse('2026-11-21T10:00:00Z')
const chain = { evm_chain_id: 31337, sidechain_id: `0x${'b3'.repeat(32)}` }
const table = { outlet: 1, camera: 7 }
const till = newKey()

function asked(purposes: WitnessedConsent['purposes'] = ['recording']): Kept {
  const key = newKey()
  const [guest, salt] = [addressOf(key), randomSalt()]
  const commitment = commitmentOf(salt, referenceOf(table, guest))
  return requestOf(
    { ...table, purposes, until_ms: NOW + 5_400_000 },
    chain.sidechain_id,
    { guest, key },
    { salt, commitment },
  )
}
const witnessOf = (consent: WitnessedConsent, signature: string) =>
  signerOf(witnessTypedData(chain, consent), signature)
const seenBy = (key: string, consent: WitnessedConsent) => ({
  witness: addressOf(key),
  signature: sign(witnessTypedData(chain, consent), key),
})

test('a request commits to the guest and the table, and can show so later', () => {
  const kept = asked()
  assert.equal(kept.reference, `outlet 1, camera 7, guest ${kept.guest}`)
  assert.equal(commitmentOf(kept.salt ?? '', kept.reference ?? ''), kept.commitment)
  assert.equal(recordOf(kept), null, 'nothing can be sent before the terminal has signed')
})

test('the till’s signature makes it a consent', () => {
  const kept = asked()
  const next = answered(kept, { kind: 'signature', ...seenBy(till, kept) }, witnessOf) as Kept
  assert.equal(stepOf(next, null, NOW), 'witnessed')
  const record = recordOf(next)
  assert.equal(record?.witness, addressOf(till))
  assert.equal(record?.commitment, kept.commitment)
})

test('a signature over anything else, or under another name, is refused', () => {
  const kept = asked()
  const good = seenBy(till, kept)
  assert.equal(answered(kept, null, witnessOf), 'unreadable')
  assert.equal(
    answered(
      kept,
      { kind: 'signature', ...seenBy(till, { ...kept, until_ms: kept.until_ms + 1 }) },
      witnessOf,
    ),
    'not_signed',
  )
  assert.equal(
    answered(
      kept,
      { kind: 'signature', ...seenBy(till, { ...kept, purposes: ['recording', 'stream'] }) },
      witnessOf,
    ),
    'not_signed',
  )
  assert.equal(
    answered(kept, { kind: 'signature', ...good, witness: addressOf(newKey()) }, witnessOf),
    'not_signed',
  )
})

test('a consent that the till made is taken when it is for this guest and allows no more', () => {
  const kept = asked()
  const made = (change: Partial<WitnessedConsent>) => {
    const consent = {
      ...table,
      purposes: kept.purposes,
      commitment: randomSalt(),
      guest: kept.guest,
      until_ms: NOW + 60_000,
      ...change,
    }
    const { witness, signature } = seenBy(till, consent)
    return answered(
      kept,
      {
        kind: 'consent',
        consent: { type: 'record_consent', ...consent, witness, witness_signature: signature },
      },
      witnessOf,
    )
  }
  const taken = made({}) as Kept
  assert.equal(taken.salt, null, 'its salt is the till’s')
  assert.equal(taken.until_ms, NOW + 60_000)
  assert.equal(taken.key, kept.key)
  assert.equal(made({ camera: 8 }), 'other_table')
  assert.equal(made({ outlet: 2 }), 'other_table')
  assert.equal(made({ guest: addressOf(newKey()) }), 'other_guest')
  assert.equal(made({ purposes: ['recording', 'stream'] }), 'more_than_agreed')
  assert.equal(made({ purposes: ['stream'] }), 'more_than_agreed')
})

test('it is in force from the ledger’s answer until its end or its revocation', () => {
  const kept = { ...asked(), recorded: true }
  assert.equal(stepOf(asked(), null, NOW), 'asked')
  assert.equal(stepOf(kept, null, NOW), 'in_force')
  assert.equal(
    stepOf({ ...kept, recorded: false }, { until_ms: kept.until_ms }, NOW),
    'in_force',
    'the answer to the sending was lost, the ledger has it',
  )
  assert.equal(stepOf(kept, { until_ms: kept.until_ms, revoked_at_ms: NOW }, NOW), 'revoked')
  assert.equal(stepOf(kept, { until_ms: NOW }, NOW), 'over', 'the ledger’s end counts')
  assert.equal(stepOf(kept, null, kept.until_ms), 'over')
  assert.equal(stepOf(kept, { until_ms: NOW, revoked_at_ms: NOW }, NOW), 'revoked')
})

test('a phone keeps one consent a table and network', () => {
  const [first, second] = [asked(), asked()]
  const other = { ...asked(), camera: 8 }
  const all = withKept(withKept(withKept([], first), other), second)
  assert.deepEqual(all, [second, other])
  assert.equal(keptFor(all, table, chain.sidechain_id), second)
  assert.equal(keptFor(all, table, '0x00'), null)
  assert.deepEqual(withoutKept(all, second), [other])
})

test('what was kept is read again; what is broken or long over is not', () => {
  const kept = asked()
  assert.deepEqual(parseKept(JSON.stringify([kept]), NOW), [kept])
  assert.deepEqual(parseKept(JSON.stringify([kept]), kept.until_ms + 31 * 86_400_000), [])
  for (const text of [
    null,
    '',
    '{',
    '7',
    'null',
    '{}',
    '[null, 7, "a", {}]',
    JSON.stringify([{ ...kept, key: 7 }]),
    JSON.stringify([{ ...kept, until_ms: '1' }]),
  ]) {
    assert.deepEqual(parseKept(text, NOW), [], String(text))
  }
})

test('a phone keeps its consents from one visit to the next', () => {
  const kept = { ...asked(), until_ms: Date.now() + 60_000 }
  giveStorage('localStorage')
  assert.deepEqual(storage.read(), [])
  assert.equal(storage.write([kept]), true)
  assert.deepEqual(storage.read(), [kept])
})

test('a browser that keeps nothing says so, for then nothing could be revoked', () => {
  giveStorage('localStorage', 10)
  assert.equal(storage.write([asked()]), false)
  assert.deepEqual(storage.read(), [])
  forbidStorage('localStorage')
  assert.equal(storage.write([]), false)
  assert.deepEqual(storage.read(), [])
})
