/** A till: signs one sale and posts it to a node or a gateway. See README.md and docs/PROTOCOL.md. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Keystore } from 'ox'
import { type Hex, hashStruct, zeroAddress } from 'viem'
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'

type Line = { sku: string; name: string; quantity: number; unit_price: number }
type Network = { chainId: number; sidechainId: Hex; currency: string }

const ATTEMPTS = 8
const fields = (text: string) =>
  text.split(',').map((field) => {
    const [type = '', name = ''] = field.split(' ')
    return { type, name }
  })
const LINES = {
  SaleLines: fields('bytes32 salt,Line[] lines'),
  Line: fields('string sku,string name,uint32 quantity,uint64 unitPrice'),
}
const SALE = {
  Sale: fields(
    'uint64 outlet,address terminal,bytes16 saleId,uint64 occurredAt,string currency,uint64 total,bytes32 linesHash,uint8 buyerKind,address buyer',
  ),
}

/** The sale as `POST /api/v1/sales` takes it. With a buyer's wallet, 49 of its 100 units go there; else to all holders. */
export async function signSale(
  terminal: PrivateKeyAccount,
  network: Network,
  outlet: number,
  lines: Line[],
  wallet?: Hex,
) {
  const saleId = randomBytes(16).toString('hex')
  const salt: Hex = `0x${randomBytes(32).toString('hex')}`
  const atMs = Date.now()
  const total = lines.reduce((sum, line) => sum + line.quantity * line.unit_price, 0)
  const typed = lines.map(({ unit_price, ...line }) => ({ ...line, unitPrice: BigInt(unit_price) }))
  const buyer = wallet ?? zeroAddress
  const signature = await terminal.signTypedData({
    domain: { name: 'HotPot', version: '1', chainId: network.chainId, salt: network.sidechainId },
    types: SALE,
    primaryType: 'Sale',
    message: {
      outlet: BigInt(outlet),
      terminal: terminal.address,
      saleId: `0x${saleId}`,
      occurredAt: BigInt(atMs),
      currency: network.currency,
      total: BigInt(total),
      buyerKind: wallet ? 1 : 0,
      buyer,
      linesHash: hashStruct({
        types: LINES,
        primaryType: 'SaleLines',
        data: { salt, lines: typed },
      }),
    },
  })
  return {
    outlet,
    terminal: terminal.address,
    sale_id: saleId,
    occurred_at: new Date(atMs).toISOString(),
    currency: network.currency,
    total,
    lines,
    lines_salt: salt,
    buyer_kind: wallet ? 'wallet' : 'none',
    buyer,
    signature,
  }
}

/** Posts until there is an answer. The body stays the same, so it is one sale however often it arrives. */
export async function post(
  url: string,
  body: string,
): Promise<{ status: number; answer: unknown }> {
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(`${url}/api/v1/sales`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    }).catch(() => null)
    const answer: unknown = await response?.json().catch(() => null)
    if (response && answer && response.status < 500) return { status: response.status, answer }
    if (attempt === ATTEMPTS)
      throw new Error(
        `no answer after ${ATTEMPTS} attempts, the last: ${JSON.stringify(answer ?? response?.status ?? 'none')}`,
      )
    await sleep(
      1000 * Number(response?.headers.get('retry-after') ?? Math.min(2 ** (attempt - 1), 10)),
    )
  }
}

/** What must be known to sign: both chains' ids and the outlet's currency. */
async function networkOf(url: string, outlet: number): Promise<Network> {
  const get = async (path: string) => {
    const response = await fetch(url + path)
    if (!response.ok) throw new Error(`${url}${path} answered ${response.status}`)
    return response.json()
  }
  const [genesis, block, outlets] = await Promise.all(
    ['/api/v1/genesis', '/api/v1/blocks/latest', '/api/v1/outlets'].map(get),
  )
  const own = outlets.find((one: { outlet: number }) => one.outlet === outlet)
  if (!own)
    throw new Error(
      `outlet ${outlet} is not registered; there are ${outlets.map((one: { outlet: number }) => one.outlet).join(', ') || 'none'}`,
    )
  return {
    chainId: genesis.evm_chain_id,
    sidechainId: block.header.sidechain_id,
    currency: own.currency,
  }
}

/** The terminal's key, from a Web3 keystore. */
function readKey(file: string, passphraseFile: string): PrivateKeyAccount {
  const keystore = JSON.parse(readFileSync(file, 'utf8'))
  const key = Keystore.toKey(keystore, { password: readFileSync(passphraseFile, 'utf8').trim() })
  return privateKeyToAccount(Keystore.decrypt(keystore, key))
}

/** `khinkali:2:849` is two khinkali at 8.49. */
function parseLine(text: string): Line {
  const match = /^([^:]+):(\d+):(\d+)(?::(.+))?$/.exec(text)
  if (!match)
    throw new Error(
      `${text} is no line; a line is SKU:QUANTITY:UNIT_PRICE[:NAME], the price in the smallest unit, such as khinkali:2:849`,
    )
  const [, sku = '', quantity, price, name = sku] = match
  return { sku, name, quantity: Number(quantity), unit_price: Number(price) }
}

async function main() {
  const {
    POS_KEY_FILE,
    POS_PASSPHRASE_FILE,
    POS_URL = 'http://127.0.0.1:8080',
    POS_OUTLET = '1',
    POS_BUYER,
  } = process.env
  if (!POS_KEY_FILE || process.argv.length < 3)
    throw new Error(
      'usage: POS_KEY_FILE=… [POS_URL=…] [POS_OUTLET=1] [POS_BUYER=0x…] npm start -- khinkali:2:849 …',
    )
  const lines = process.argv.slice(2).map(parseLine)
  const terminal = readKey(
    POS_KEY_FILE,
    POS_PASSPHRASE_FILE ?? join(dirname(POS_KEY_FILE), 'passphrase'),
  )
  const sale = await signSale(
    terminal,
    await networkOf(POS_URL, Number(POS_OUTLET)),
    Number(POS_OUTLET),
    lines,
    POS_BUYER as Hex | undefined,
  )
  const { status, answer } = await post(POS_URL, JSON.stringify(sale))
  console.log(JSON.stringify({ outlet: sale.outlet, sale_id: sale.sale_id, status, answer }))
  process.exitCode = status < 300 ? 0 : 1
}

await main().catch((error: Error) => {
  console.error(`pos: ${error.message}`)
  process.exitCode = 1
})
