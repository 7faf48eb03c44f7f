/** A sale from its lines to the ledger: what a till does. */
import { bytesToHex } from '@noble/hashes/utils.js'
import { type Client, unwrap } from './api.ts'
import { hashStruct } from './eip712.ts'
import { hex } from './hex.ts'
import type { BuyerKind, Line, SaleAnswer, SaleRequest } from './schema.ts'
import { formatTime, parseTime } from './time.ts'
import { fields, type TypedData } from './typed.ts'
import { type Chain, transactionTypedData } from './typed-data.ts'

const LINES = {
  SaleLines: fields('bytes32 salt,Line[] lines'),
  Line: fields('string sku,string name,uint32 quantity,uint64 unitPrice'),
}
const NOBODY = '0x0000000000000000000000000000000000000000'

/** What both chains are called: part of everything that is signed. */
export async function chainOf(client: Client): Promise<Chain> {
  const { evm_chain_id, sidechain_id } = await unwrap(client.GET('/api/v1/network'))
  return { evm_chain_id, sidechain_id }
}

/** What binds the lines to the sale without showing them. */
export function linesHash(salt: string, lines: readonly Line[]): string {
  const typed = lines.map((line) => ({
    sku: line.sku,
    name: line.name,
    quantity: String(line.quantity),
    unitPrice: String(line.unit_price),
  }))
  return hex(hashStruct(LINES, 'SaleLines', { salt, lines: typed }))
}

export type UnsignedSale = Omit<SaleRequest, 'signature'>

/** What a till knows of a sale. Without a buyer the buyer's share goes to the pool of all holders. */
export interface NewSale {
  outlet: number
  terminal: string
  currency: string
  lines: Line[]
  buyer?: { kind: Exclude<BuyerKind, 'none'>; address: string }
}

/** A sale of this moment with an id and a salt of its own, before it is signed. Keep it: sent again it is the same sale. */
export function newSale(sale: NewSale): UnsignedSale {
  const id = crypto.getRandomValues(new Uint8Array(16))
  return {
    outlet: sale.outlet,
    terminal: sale.terminal,
    sale_id: bytesToHex(id),
    occurred_at: formatTime(Date.now()),
    currency: sale.currency,
    total: totalOf(sale.lines),
    lines: sale.lines,
    lines_salt: hex(crypto.getRandomValues(new Uint8Array(32))),
    buyer_kind: sale.buyer?.kind ?? 'none',
    buyer: sale.buyer?.address ?? NOBODY,
  }
}

/** The sum of the lines. Throws when a number is none, or too large to be added exactly. */
function totalOf(lines: readonly Line[]): number {
  return lines.reduce((sum, { sku, quantity, unit_price }) => {
    const total = sum + quantity * unit_price
    const isExact = [quantity, unit_price, total].every((n) => Number.isSafeInteger(n) && n >= 0)
    if (!isExact) throw new Error(`line ${sku}: quantity or price is no whole number, or too large`)
    return total
  }, 0)
}

/** What the terminal signs. Throws when `occurred_at` is no time. */
export function saleTypedData(chain: Chain, sale: UnsignedSale): TypedData {
  const { lines, lines_salt, occurred_at, buyer = NOBODY, ...rest } = sale
  const occurred_at_ms = parseTime(occurred_at)
  if (occurred_at_ms === null) throw new Error(`${occurred_at} is no time in RFC 3339`)

  const lines_hash = linesHash(lines_salt, lines)
  return transactionTypedData(chain, { type: 'sale', ...rest, occurred_at_ms, lines_hash, buyer })
}

/** Posts a signed sale; the answer comes once it is final. Sent again it is the same sale, with the same answer. */
export async function postSale(client: Client, sale: SaleRequest): Promise<SaleAnswer> {
  return unwrap(client.POST('/api/v1/sales', { body: sale }))
}
