/** A till: signs one sale and posts it to a node or a gateway. See README.md and docs/PROTOCOL.md. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Chain,
  type Client,
  createClient,
  type Line,
  newSale,
  type SaleRequest,
} from 'hotpot-client'
import { addressOf, signSale } from 'hotpot-client/keys'
import { Keystore } from 'ox'

const ATTEMPTS = 8

/** Posts until there is an answer. The body stays the same, so it is one sale however often it arrives. */
export async function post(
  client: Client,
  sale: SaleRequest,
): Promise<{ status: number; answer: unknown }> {
  for (let attempt = 1; ; attempt++) {
    const { response, answer } = await postOnce(client, sale)
    if (response && answer && response.status < 500) return { status: response.status, answer }
    if (attempt === ATTEMPTS)
      throw new Error(
        `no answer after ${ATTEMPTS} attempts, the last: ${JSON.stringify(answer ?? response?.status ?? 'none')}`,
      )
    const patienceS = Math.min(2 ** (attempt - 1), 10)
    await sleep(1000 * Number(response?.headers.get('retry-after') ?? patienceS))
  }
}

/** What came back: a sale or a problem, if anything. A page of somebody on the way is no answer. */
async function postOnce(client: Client, sale: SaleRequest) {
  const { data, error, response } = await client
    .POST('/api/v1/sales', { body: sale })
    .catch(() => ({ data: null, error: null, response: null }))
  const answer: unknown = data ?? error
  return { response, answer: typeof answer === 'object' ? answer : null }
}

/**
 * What must be known to sign: both chains' ids and the outlet's currency.
 * With a gateway `chainOf` would do; a node has no `/api/v1/network`, but these three.
 */
async function networkOf(
  client: Client,
  outlet: number,
): Promise<{ chain: Chain; currency: string }> {
  const [genesis, block, outlets] = await Promise.all([
    found(client.GET('/api/v1/genesis')),
    found(client.GET('/api/v1/blocks/{height}', { params: { path: { height: 'latest' } } })),
    found(client.GET('/api/v1/outlets')),
  ])
  const own = outlets.find((one) => one.outlet === outlet)
  if (!own)
    throw new Error(
      `outlet ${outlet} is not registered; there are ${outlets.map((one) => one.outlet).join(', ') || 'none'}`,
    )
  const { sidechain_id } = block.header
  return { chain: { evm_chain_id: genesis.evm_chain_id, sidechain_id }, currency: own.currency }
}

async function found<T>(request: Promise<{ data?: T; response: Response }>): Promise<T> {
  const { data, response } = await request
  if (data === undefined) throw new Error(`${response.url} answered ${response.status}`)
  return data
}

/** The terminal's key, from a Web3 keystore. */
function readKey(file: string, passphraseFile: string): string {
  const keystore = JSON.parse(readFileSync(file, 'utf8'))
  const key = Keystore.toKey(keystore, { password: readFileSync(passphraseFile, 'utf8').trim() })
  return Keystore.decrypt(keystore, key)
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
  const outlet = Number(POS_OUTLET)
  const key = readKey(
    POS_KEY_FILE,
    POS_PASSPHRASE_FILE ?? join(dirname(POS_KEY_FILE), 'passphrase'),
  )

  const client = createClient({ baseUrl: POS_URL })
  const { chain, currency } = await networkOf(client, outlet)
  const sale = newSale({
    outlet,
    terminal: addressOf(key),
    currency,
    lines,
    // With a buyer's wallet, 49 of the sale's 100 units go there; else to all holders.
    ...(POS_BUYER ? { buyer: { kind: 'wallet', address: POS_BUYER } } : {}),
  })
  const { status, answer } = await post(client, signSale(chain, sale, key))
  console.log(JSON.stringify({ outlet, sale_id: sale.sale_id, status, answer }))
  process.exitCode = status < 300 ? 0 : 1
}

await main().catch((error: Error) => {
  console.error(`pos: ${error.message}`)
  process.exitCode = 1
})
