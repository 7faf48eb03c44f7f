/** The guest's two transactions: to allow, and to take it back. */
import { type NetworkOverview, type Payload, transactionTypedData } from 'hotpot-client'
import { postTransaction } from '../shared/api.ts'
import { findWallet, signTyped } from '../shared/wallet.ts'
import { type Kept, recordOf } from './kept.ts'

/** Of the consent that the guest is about to sign; null before the terminal has. */
export async function idOf(kept: Kept, network: NetworkOverview): Promise<string | null> {
  const { digestOf } = await import('hotpot-client/keys')
  const payload = recordOf(kept)
  return payload && digestOf(transactionTypedData(network, payload))
}

/** Sends the consent. Sent again it is the same one. */
export async function record(kept: Kept, network: NetworkOverview): Promise<void> {
  const payload = recordOf(kept)
  if (payload === null) throw new Error('the terminal has not signed yet')
  const signature = await signed(kept, network, payload)
  await postTransaction({ ...payload, signature })
}

export async function revoke(kept: Kept, network: NetworkOverview): Promise<void> {
  const payload: Payload = { type: 'revoke_consent', consent: kept.id ?? '' }
  const signature = await signed(kept, network, payload)
  await postTransaction({ ...payload, signature })
}

async function signed(kept: Kept, network: NetworkOverview, payload: Payload): Promise<string> {
  const data = transactionTypedData(network, payload)
  if (kept.key === null) return signTyped(findWallet(), kept.guest, data)
  const { sign } = await import('hotpot-client/keys')
  return sign(data, kept.key)
}
