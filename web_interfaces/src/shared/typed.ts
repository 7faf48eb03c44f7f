/** What is signed about consents and recordings (docs/PROTOCOL.md), as EIP-712 typed data. Pure. */
import { cidBytes } from './cid.ts'

/** The network that a signature is for. */
export interface Chain {
  evm_chain_id: number
  sidechain_id: string
}

export type Purpose = 'recording' | 'stream'
const PURPOSE_BITS: Record<Purpose, number> = { recording: 1, stream: 2 }
export const PURPOSES = ['recording', 'stream'] as const

export const ERASE_REASONS = ['revoked', 'retention', 'request', 'other'] as const
export type EraseReason = (typeof ERASE_REASONS)[number]

/** What the terminal sees: all that the guest signs, but for the terminal's own part. */
export interface WitnessedConsent {
  outlet: number
  camera: number
  purposes: Purpose[]
  commitment: string
  guest: string
  until_ms: number
}

export interface RecordConsent extends WitnessedConsent {
  type: 'record_consent'
  witness: string
  witness_signature: string
}

export interface RevokeConsent {
  type: 'revoke_consent'
  consent: string
}

export interface EraseRecording {
  type: 'erase_recording'
  outlet: number
  cid: string
  reason: EraseReason
}

export type Payload = RecordConsent | RevokeConsent | EraseRecording

interface Field {
  name: string
  type: string
}

/** As `eth_signTypedData_v4` takes it. Numbers are decimal text, since wallets differ in how large a number they read. */
export interface TypedData {
  domain: { name: string; version: string; chainId: number; salt: string }
  types: Record<string, Field[]>
  primaryType: string
  message: Record<string, string>
}

const DOMAIN = fields('string name,string version,uint256 chainId,bytes32 salt')
const WITNESSED =
  'uint64 outlet,uint64 camera,uint8 purposes,bytes32 commitment,address guest,uint64 until'
const TYPES = {
  ConsentWitness: fields(WITNESSED),
  RecordConsent: fields(`${WITNESSED},address witness,bytes witnessSignature`),
  RevokeConsent: fields('bytes32 consent'),
  EraseRecording: fields('uint64 outlet,bytes cid,uint8 reason'),
  WatchCameras: fields('uint64 outlet,uint64 until'),
}

function fields(text: string): Field[] {
  return text.split(',').map((field) => {
    const [type = '', name = ''] = field.split(' ')
    return { name, type }
  })
}

function typedData(
  chain: Chain,
  primaryType: keyof typeof TYPES,
  message: Record<string, string>,
): TypedData {
  return {
    domain: { name: 'HotPot', version: '1', chainId: chain.evm_chain_id, salt: chain.sidechain_id },
    types: { EIP712Domain: DOMAIN, [primaryType]: TYPES[primaryType] },
    primaryType,
    message,
  }
}

/** The bits of purposes, in which the order of the words does not matter. */
export function purposeBits(purposes: readonly Purpose[]): number {
  return purposes.reduce((bits, purpose) => bits | PURPOSE_BITS[purpose], 0)
}

export function purposesOf(bits: number): Purpose[] {
  return PURPOSES.filter((purpose) => (bits & PURPOSE_BITS[purpose]) !== 0)
}

function witnessed(consent: WitnessedConsent): Record<string, string> {
  return {
    outlet: String(consent.outlet),
    camera: String(consent.camera),
    purposes: String(purposeBits(consent.purposes)),
    commitment: consent.commitment,
    guest: consent.guest,
    until: String(consent.until_ms),
  }
}

/** What the terminal signs. */
export function witnessTypedData(chain: Chain, consent: WitnessedConsent): TypedData {
  return typedData(chain, 'ConsentWitness', witnessed(consent))
}

/** What makes a transaction; its digest is the transaction's id. */
export function transactionTypedData(chain: Chain, payload: Payload): TypedData {
  switch (payload.type) {
    case 'record_consent':
      return typedData(chain, 'RecordConsent', {
        ...witnessed(payload),
        witness: payload.witness,
        witnessSignature: payload.witness_signature,
      })
    case 'revoke_consent':
      return typedData(chain, 'RevokeConsent', { consent: payload.consent })
    case 'erase_recording':
      return typedData(chain, 'EraseRecording', {
        outlet: String(payload.outlet),
        cid: bytesOfCid(payload.cid),
        reason: String(ERASE_REASONS.indexOf(payload.reason)),
      })
  }
}

/** What opens an outlet's cameras to its owner or video agent for a while; no transaction. */
export function watchTypedData(chain: Chain, outlet: number, untilMs: number): TypedData {
  return typedData(chain, 'WatchCameras', { outlet: String(outlet), until: String(untilMs) })
}

function bytesOfCid(cid: string): string {
  const bytes = cidBytes(cid)
  if (bytes === null) throw new Error(`${cid} is no content id of the ledger`)
  return bytes
}
