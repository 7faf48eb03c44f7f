/** What the ledger's own tests freeze. */
import { readFileSync } from 'node:fs'
import type { Chain, Genesis, Line, Payload, PayloadOf } from '../src/index.ts'

export interface Vector {
  id: string
  signer: string
  encoded: string
  transaction: Payload & { signature: string }
}

interface Vectors {
  chain_id: number
  sidechain_id: string
  till_1: string
  till_1_key: string
  lines: Line[]
  lines_salt: string
  transactions: Vector[]
}

export function read<T>(name: string): T {
  const file = new URL(`../../../crates/domain/tests/vectors/${name}.json`, import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8')) as T
}

export const vectors = read<Vectors>('transactions')
export const chain: Chain = {
  evm_chain_id: vectors.chain_id,
  sidechain_id: vectors.sidechain_id,
}

/** Of the chain of the vectors. */
export function readGenesis(): Genesis {
  const file = new URL('../../../crates/domain/tests/vectors/chain.jsonl', import.meta.url)
  const [first = ''] = readFileSync(file, 'utf8').split('\n', 1)
  return JSON.parse(first).genesis
}

/** The one vector of a type. */
export function vectorOf<Type extends Payload['type']>(
  type: Type,
): Vector & { transaction: PayloadOf<Type> } {
  const found = vectors.transactions.find(({ transaction }) => transaction.type === type)
  if (found === undefined) throw new Error(`there is no vector of ${type}`)
  return found as Vector & { transaction: PayloadOf<Type> }
}

/** Random numbers that are the same in every run. */
export function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
