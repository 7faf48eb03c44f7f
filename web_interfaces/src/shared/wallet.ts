/** The reader's own wallet, as EIP-1193 has it: no library, three requests. */
import type { TypedData } from 'hotpot-client'

export interface Wallet {
  request(asked: { method: string; params?: unknown[] }): Promise<unknown>
}

/** What a wallet may end with; each has its words. */
export type WalletProblem = 'none' | 'refused' | 'pending' | 'wrong_chain' | 'failed'

export class WalletError extends Error {
  readonly problem: WalletProblem

  constructor(problem: WalletProblem, detail: string) {
    super(detail)
    this.problem = problem
  }
}

const REFUSED = 4001
const UNKNOWN_CHAIN = 4902
const PENDING = -32002

/** The wallet of this browser, if there is one. */
export function findWallet(): Wallet | null {
  const found = (globalThis as { ethereum?: Partial<Wallet> }).ethereum
  return typeof found?.request === 'function' ? (found as Wallet) : null
}

/** The account that the reader lets this page see. */
export async function connect(wallet: Wallet | null): Promise<string> {
  if (wallet === null) throw new WalletError('none', 'no wallet')
  const accounts = await asked(wallet, 'eth_requestAccounts', [])
  const account: unknown = Array.isArray(accounts) ? accounts[0] : null
  if (typeof account !== 'string' || !/^0x[0-9a-fA-F]{40}$/.test(account))
    throw new WalletError('failed', 'the wallet names no account')
  return account.toLowerCase()
}

/** A signature of that account; the wallet is asked to go to the chain of the signature first, because wallets sign for no other. */
export async function signTyped(
  wallet: Wallet | null,
  account: string,
  data: TypedData,
): Promise<string> {
  if (wallet === null) throw new WalletError('none', 'no wallet')
  await onChain(wallet, data.domain.chainId)
  const signature = await asked(wallet, 'eth_signTypedData_v4', [account, JSON.stringify(data)])
  if (typeof signature !== 'string' || !/^0x[0-9a-fA-F]{130}$/.test(signature))
    throw new WalletError('failed', 'the wallet gave no signature of 65 bytes')
  return normalized(signature)
}

/** Some wallets end with 0 or 1; the ledger wants 27 or 28. */
export function normalized(signature: string): string {
  const v = Number.parseInt(signature.slice(-2), 16)
  return signature.slice(0, -2).toLowerCase() + (v < 27 ? v + 27 : v).toString(16)
}

async function onChain(wallet: Wallet, chainId: number) {
  const hex = `0x${chainId.toString(16)}`
  const now = await asked(wallet, 'eth_chainId', [])
  if (Number(now) === chainId) return
  await asked(wallet, 'wallet_switchEthereumChain', [{ chainId: hex }])
}

async function asked(wallet: Wallet, method: string, params: unknown[]): Promise<unknown> {
  try {
    return await wallet.request({ method, params })
  } catch (cause) {
    const { code, message } = cause as { code?: number; message?: string }
    throw new WalletError(problemOf(code), message ?? 'the wallet failed')
  }
}

function problemOf(code: number | undefined): WalletProblem {
  if (code === REFUSED) return 'refused'
  if (code === UNKNOWN_CHAIN) return 'wrong_chain'
  return code === PENDING ? 'pending' : 'failed'
}
