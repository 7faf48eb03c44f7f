import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashStruct, recoverTypedDataAddress } from 'viem'
import {
  digestOf,
  type Line,
  linesHash,
  newSale,
  parseTime,
  saleTypedData,
  transactionTypedData,
} from '../src/index.ts'
import { addressOf, newKey, signerOf, signSale } from '../src/keys.ts'
import { chain, random, vectorOf, vectors } from './vectors.ts'

const LINES = {
  SaleLines: [
    { name: 'salt', type: 'bytes32' },
    { name: 'lines', type: 'Line[]' },
  ],
  Line: [
    { name: 'sku', type: 'string' },
    { name: 'name', type: 'string' },
    { name: 'quantity', type: 'uint32' },
    { name: 'unitPrice', type: 'uint64' },
  ],
}

function linesHashOfViem(salt: string, lines: Line[]): string {
  const typed = lines.map(({ unit_price, ...line }) => ({ ...line, unitPrice: BigInt(unit_price) }))
  return hashStruct({ types: LINES, primaryType: 'SaleLines', data: { salt, lines: typed } })
}

test('the lines of the vector have the hash of its sale', () => {
  const { transaction } = vectorOf('sale')
  assert.equal(linesHash(vectors.lines_salt, vectors.lines), transaction.lines_hash)
})

test('any lines have the hash that viem makes of them', () => {
  const below = random(5)
  const words = ['khinkali', 'ხინკალი', 'Чай 🍵', '', 'a"b\\c\n']
  for (let round = 0; round < 100; round++) {
    const lines = Array.from({ length: below(5) }, () => ({
      sku: words[below(words.length)] ?? '',
      name: words[below(words.length)] ?? '',
      quantity: below(2 ** 32),
      unit_price: below(2 ** 32) * 2 ** below(21),
    }))
    const salt = `0x${below(2 ** 32)
      .toString(16)
      .padStart(64, '0')}`
    assert.equal(linesHash(salt, lines), linesHashOfViem(salt, lines))
  }
})

test('a sale as the till sends it is the sale of the vector', () => {
  const { id, signer, transaction } = vectorOf('sale')
  const { type, lines_hash, occurred_at_ms, signature, ...sale } = {
    ...transaction,
    signature: vectorOf('sale').transaction.signature,
  }
  const sent = {
    ...sale,
    occurred_at: new Date(occurred_at_ms).toISOString(),
    lines: vectors.lines,
    lines_salt: vectors.lines_salt,
  }
  assert.equal(digestOf(saleTypedData(chain, sent)), id)
  assert.equal(signer, vectors.till_1)
  assert.deepEqual(signSale(chain, sent, vectors.till_1_key), { ...sent, signature })
  assert.equal(
    digestOf(transactionTypedData(chain, { type, lines_hash, occurred_at_ms, ...sale })),
    id,
  )
})

test('a new sale has an id, a salt and a moment of its own, and its total', async () => {
  const key = newKey()
  const lines = [
    { sku: 'khinkali', name: 'Khinkali', quantity: 2, unit_price: 849 },
    { sku: 'tea', name: 'Tea', quantity: 1, unit_price: 300 },
  ]
  const known = { outlet: 1, terminal: addressOf(key), currency: 'GEL', lines }
  const [one, other] = [newSale(known), newSale(known)]
  assert.match(one.sale_id, /^[0-9a-f]{32}$/)
  assert.match(one.lines_salt, /^0x[0-9a-f]{64}$/)
  assert.notEqual(one.sale_id, other.sale_id)
  assert.notEqual(one.lines_salt, other.lines_salt)
  assert.ok(Math.abs((parseTime(one.occurred_at) ?? 0) - Date.now()) < 60_000)
  assert.equal(one.total, 1998)
  assert.deepEqual([one.buyer_kind, one.buyer], ['none', `0x${'00'.repeat(20)}`])

  const { signature } = signSale(chain, one, key)
  assert.equal(signerOf(saleTypedData(chain, one), signature), addressOf(key))
  const data = { ...saleTypedData(chain, one), signature }
  const recovered = await recoverTypedDataAddress(
    data as Parameters<typeof recoverTypedDataAddress>[0],
  )
  assert.equal(recovered.toLowerCase(), addressOf(key))
})

test('a sale to a wallet says so; without a buyer it is signed as one to nobody', () => {
  const buyer = { kind: 'wallet' as const, address: `0x${'b2'.repeat(20)}` }
  const known = { outlet: 1, terminal: vectors.till_1, currency: 'GEL', lines: vectors.lines }
  const sale = newSale({ ...known, buyer })
  assert.deepEqual([sale.buyer_kind, sale.buyer], ['wallet', buyer.address])

  const { buyer: nobody, ...without } = newSale(known)
  assert.equal(
    digestOf(saleTypedData(chain, without)),
    digestOf(saleTypedData(chain, { ...without, buyer: nobody ?? '' })),
  )
})

test('a sale of no moment is not signed', () => {
  const known = { outlet: 1, terminal: vectors.till_1, currency: 'GEL', lines: vectors.lines }
  const sale = { ...newSale(known), occurred_at: 'yesterday' }
  assert.throws(() => signSale(chain, sale, vectors.till_1_key), /yesterday is no time/)
})

test('money that JavaScript cannot add exactly is refused, not signed', () => {
  const terminal = addressOf(newKey())
  const sell = (quantity: number, unit_price: number) => () =>
    newSale({
      outlet: 1,
      terminal,
      currency: 'GEL',
      lines: [{ sku: 'a', name: 'a', quantity, unit_price }],
    })

  assert.equal(sell(3, 849)().total, 2547)
  for (const [quantity, price] of [
    [3, Number.MAX_SAFE_INTEGER],
    [1, 2 ** 53],
    [1.5, 2],
    [1, 0.1],
    [-1, 5],
    [Number.NaN, 1],
  ] as const)
    assert.throws(sell(quantity, price), /line a: /)
})

test('a number beyond 2^53 is signed by nobody: it has several names', () => {
  const refund = {
    type: 'refund',
    outlet: 1,
    sale_id: '00'.repeat(16),
    refund_id: '01'.repeat(16),
  } as const
  assert.throws(
    () => transactionTypedData(chain, { ...refund, amount: 2 ** 53 + 1 }),
    /whole number/,
  )
  assert.throws(() => transactionTypedData(chain, { ...refund, amount: 0.5 }), /whole number/)
})
