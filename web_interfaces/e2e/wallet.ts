/** A wallet for pages: EIP-1193 as MetaMask answers it, with one key out of a keystore file. */
import { createDecipheriv, scryptSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { addressOf, sign } from 'hotpot-client/keys'
import type { Visit } from './visit.ts'

/** The key of an Ethereum keystore (V3, scrypt), whose password is in the file `passphrase` beside it. */
function keyOf(file: string): string {
  const { crypto } = JSON.parse(readFileSync(file, 'utf8'))
  const { n, r, p, dklen, salt } = crypto.kdfparams
  const password = readFileSync(`${dirname(file)}/passphrase`, 'utf8').trim()
  const derived = scryptSync(password, Buffer.from(salt, 'hex'), dklen, {
    N: n,
    r,
    p,
    maxmem: 256 * n * r,
  })
  const decipher = createDecipheriv(
    'aes-128-ctr',
    derived.subarray(0, 16),
    Buffer.from(crypto.cipherparams.iv, 'hex'),
  )
  return `0x${Buffer.concat([decipher.update(Buffer.from(crypto.ciphertext, 'hex')), decipher.final()]).toString('hex')}`
}

/** Pages that are opened from now on find it; answers with its account. */
export async function giveWallet(visit: Visit, keystore: string): Promise<string> {
  const key = keyOf(keystore)
  await visit.page.exposeFunction('hotpotWallet', (method: string, params: string[]) => {
    if (method === 'eth_requestAccounts') return [addressOf(key)]
    const data = JSON.parse(params[1] ?? '{}')
    if (method === 'eth_signTypedData_v4') return sign(data, key)
    return null
  })
  const chainId = (
    await (
      await visit.page.request.get(`${new URL(visit.page.url()).origin}/api/v1/network`)
    ).json()
  ).evm_chain_id as number
  await visit.page.addInitScript((id) => {
    const page = globalThis as unknown as {
      ethereum: unknown
      hotpotWallet(method: string, params: unknown[]): Promise<unknown>
    }
    page.ethereum = {
      request: ({ method, params = [] }: { method: string; params?: unknown[] }) =>
        method === 'eth_chainId'
          ? Promise.resolve(`0x${id.toString(16)}`)
          : page.hotpotWallet(method, params),
    }
  }, chainId)
  return addressOf(key)
}
