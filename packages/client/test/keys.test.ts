import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recoverTypedDataAddress } from 'viem'
import { privateKeyToAddress } from 'viem/accounts'
import { transactionTypedData, watchTypedData } from '../src/index.ts'
import { addressOf, commitmentOf, newKey, randomSalt, sign, signerOf } from '../src/keys.ts'
import { chain, vectorOf, vectors } from './vectors.ts'

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

/** The other form of a signature, which the curve takes and the ledger does not. */
function mirrored(signature: string): string {
  const s = ORDER - BigInt(`0x${signature.slice(66, 130)}`)
  const v = signature.endsWith('1b') ? '1c' : '1b'
  return signature.slice(0, 66) + s.toString(16).padStart(64, '0') + v
}

test('a key made here signs for its own address, and no two are alike', async () => {
  const made = new Set<string>()
  for (let round = 0; round < 20; round++) {
    const key = newKey()
    const data = transactionTypedData(chain, { type: 'revoke_consent', consent: randomSalt() })
    const signature = sign(data, key)
    assert.match(signature, /^0x[0-9a-f]{128}1[bc]$/)
    assert.equal(signerOf(data, signature), addressOf(key))
    assert.equal(addressOf(key), privateKeyToAddress(key as `0x${string}`).toLowerCase())
    const typed = { ...data, signature } as Parameters<typeof recoverTypedDataAddress>[0]
    assert.equal((await recoverTypedDataAddress(typed)).toLowerCase(), addressOf(key))
    made.add(key)
  }
  assert.equal(made.size, 20)
  assert.equal(addressOf(vectors.till_1_key), vectors.till_1)
})

test('no signature is nobody’s', () => {
  const data = watchTypedData(chain, 1, 1)
  const good = sign(data, vectors.till_1_key)
  for (const signature of [
    '',
    '0x',
    '0xzz',
    `0x${'00'.repeat(65)}`,
    `0x${'ff'.repeat(65)}`,
    `0x${'11'.repeat(64)}`,
    good.slice(0, -2),
    `${good}1b`,
    `${good.slice(0, -2)}00`,
    `${good.slice(0, -2)}1d`,
  ]) {
    assert.equal(signerOf(data, signature), null, signature)
  }
})

test('a high s is refused, as the ledger does', () => {
  for (const { signer, transaction } of vectors.transactions) {
    const data = transactionTypedData(chain, transaction)
    const other = mirrored(transaction.signature)
    assert.equal(signerOf(data, other), null)
    assert.equal(signerOf(data, mirrored(other)), signer)
  }
})

test('a signature over something else is somebody else’s', () => {
  const { signer, transaction } = vectorOf('refund')
  const changed = transactionTypedData(chain, { ...transaction, amount: transaction.amount + 1 })
  assert.notEqual(signerOf(changed, vectorOf('refund').transaction.signature), signer)
})

test('a commitment is keccak of the salt and the reference', () => {
  // Of `cast keccak` over 32 zero bytes and nothing.
  assert.equal(
    commitmentOf(`0x${'00'.repeat(32)}`, ''),
    '0x290decd9548b62a8d60345a988386fc84ba6bc95484008f6362f93160ef3e563',
  )
  assert.notEqual(commitmentOf(randomSalt(), 'table 3'), commitmentOf(randomSalt(), 'table 3'))
})
