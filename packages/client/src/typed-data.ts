/** What actors sign (docs/PROTOCOL.md), as EIP-712 typed data: every transaction, and what stands beside them. Pure. */
import { cidBytes } from './cid.ts'
import { offenceBytes } from './offence.ts'
import type {
  BasisKind,
  BuyerKind,
  EraseReason,
  OutletKind,
  Parameters,
  Payload,
  Purpose,
  RecordConsent,
  RegisterOutlet,
  TerminalKind,
} from './schema.ts'
import { type Field, fields, type TypedData, type TypedValue } from './typed.ts'

/** The network that a signature is for. */
export interface Chain {
  evm_chain_id: number
  sidechain_id: string
}

export const PURPOSES = ['recording', 'stream'] as const satisfies readonly Purpose[]
export const ERASE_REASONS = [
  'revoked',
  'retention',
  'request',
  'other',
] as const satisfies readonly EraseReason[]

/** Words that are numbers in what is signed: their places. */
const BUYER_KINDS: readonly BuyerKind[] = ['none', 'wallet', 'receipt']
const OUTLET_KINDS: readonly OutletKind[] = ['owner_operated', 'franchised']
const TERMINAL_KINDS: readonly TerminalKind[] = ['physical', 'gateway', 'video_agent']
const BASIS_KINDS: readonly BasisKind[] = ['security', 'chef']
const PURPOSE_BITS: Record<Purpose, number> = { recording: 1, stream: 2 }

const DOMAIN = fields('string name,string version,uint256 chainId,bytes32 salt')
const WITNESSED =
  'uint64 outlet,uint64 camera,uint8 purposes,bytes32 commitment,address guest,uint64 until'

const TYPES = {
  Sale: fields(
    'uint64 outlet,address terminal,bytes16 saleId,uint64 occurredAt,string currency,uint64 total,bytes32 linesHash,uint8 buyerKind,address buyer',
  ),
  RegisterOutlet: fields(
    'uint64 outlet,address owner,uint8 kind,string city,string currency,uint32 quotaPerDay,uint32 terminalQuotaPerDay,bytes32 approvalRef,uint64 approvalExpiresAt,bytes approvalSignature,uint64 nonce',
  ),
  OutletApproval: fields('uint64 outlet,address owner,bytes32 approvalRef,uint64 expiresAt'),
  RegisterTerminal: fields('uint64 outlet,address terminal,uint8 kind,uint64 nonce'),
  RevokeTerminal: fields('uint64 outlet,address terminal,uint64 nonce'),
  ClaimReceipt: fields('uint64 outlet,bytes16 saleId,address wallet'),
  RequestPayout: fields('address account,uint64 nonce'),
  FullSettlement: fields('uint64 nonce'),
  SetAnchor: fields(
    'address token,address anchor,uint64 fromEpoch,bytes32 validatorsHash,uint64 nonce',
  ),
  Refund: fields('uint64 outlet,bytes16 saleId,bytes16 refundId,uint64 amount'),
  SetBonding: fields('address account,uint32 bondingPpm,uint64 nonce'),
  Unbond: fields('address account,uint64 units,uint64 nonce'),
  RegisterValidator: fields('uint64 outlet,bytes publicKey,bytes consent,uint64 nonce'),
  ValidatorConsent: fields('uint64 outlet,address owner'),
  Heartbeat: fields('address validator,uint64 epoch'),
  Unjail: fields('address validator,uint64 nonce'),
  Evidence: fields('address offender,bytes offence'),
  Parameters: fields(
    'uint64 saleTotalMin,uint64 ownerDebtMax,uint64 electionEpochs,uint64 unbondingTime,uint64 jailTime,uint32 slashPpm,uint64 receiptTime,uint64 poolTime',
  ),
  SetParameters: fields('Parameters parameters,uint64 nonce'),
  CancelChange: fields('uint64 change,uint64 nonce'),
  ConsentWitness: fields(WITNESSED),
  RecordConsent: fields(`${WITNESSED},address witness,bytes witnessSignature`),
  RecordLegalBasis: fields(
    'uint64 outlet,uint64 camera,uint8 kind,bytes32 noticeHash,uint32 retentionDays,uint64 until,uint64 nonce',
  ),
  RevokeConsent: fields('bytes32 consent'),
  PinRecording: fields(
    'uint64 outlet,uint64 camera,bytes32 consent,bytes cid,bytes32 manifestHash,uint64 sequence,uint64 startedAt,uint64 endedAt',
  ),
  EraseRecording: fields('uint64 outlet,bytes cid,uint8 reason'),
  WatchCameras: fields('uint64 outlet,uint64 until'),
}
type TypeName = keyof typeof TYPES

function typedData(
  chain: Chain,
  primaryType: TypeName,
  message: Record<string, TypedValue>,
): TypedData {
  const types: Record<string, Field[]> = {
    EIP712Domain: DOMAIN,
    [primaryType]: TYPES[primaryType],
  }
  if (primaryType === 'SetParameters') types.Parameters = TYPES.Parameters
  return {
    domain: { name: 'HotPot', version: '1', chainId: chain.evm_chain_id, salt: chain.sidechain_id },
    types,
    primaryType,
    message,
  }
}

/** The content of one type of transaction. */
export type PayloadOf<Type extends Payload['type']> = Extract<Payload, { type: Type }>

/** The bits of purposes, in which the order of the words does not matter. */
export function purposeBits(purposes: readonly Purpose[]): number {
  return purposes.reduce((bits, purpose) => bits | PURPOSE_BITS[purpose], 0)
}

export function purposesOf(bits: number): Purpose[] {
  return PURPOSES.filter((purpose) => (bits & PURPOSE_BITS[purpose]) !== 0)
}

/** What the registrar approves: this outlet for this owner, once, as long as it has not expired. */
export type OutletApproval = Pick<
  RegisterOutlet,
  'outlet' | 'owner' | 'approval_ref' | 'approval_expires_at_ms'
>

/** What the registrar signs so that the founder may register an outlet. */
export function approvalTypedData(chain: Chain, approval: OutletApproval): TypedData {
  return typedData(chain, 'OutletApproval', {
    outlet: decimal(approval.outlet),
    owner: approval.owner,
    approvalRef: approval.approval_ref,
    expiresAt: decimal(approval.approval_expires_at_ms),
  })
}

/** What a validator's key signs so that the owner of an outlet may register it there. */
export function validatorConsentTypedData(chain: Chain, outlet: number, owner: string): TypedData {
  return typedData(chain, 'ValidatorConsent', { outlet: decimal(outlet), owner })
}

/** What the terminal sees: all that the guest signs, but for the terminal's own part. */
export type WitnessedConsent = Omit<RecordConsent, 'witness' | 'witness_signature'>

/** What a terminal signs that saw a guest agree. */
export function witnessTypedData(chain: Chain, consent: WitnessedConsent): TypedData {
  return typedData(chain, 'ConsentWitness', witnessed(consent))
}

/** What opens an outlet's cameras to its owner or video agent for a while; no transaction. */
export function watchTypedData(chain: Chain, outlet: number, untilMs: number): TypedData {
  return typedData(chain, 'WatchCameras', { outlet: decimal(outlet), until: decimal(untilMs) })
}

/** What makes a transaction; its digest is the transaction's id. */
export function transactionTypedData(chain: Chain, payload: Payload): TypedData {
  const [primaryType, message] = typedPayload(payload)
  return typedData(chain, primaryType, message)
}

type Typed = [TypeName, Record<string, TypedValue>]

function typedPayload(payload: Payload): Typed {
  switch (payload.type) {
    case 'sale':
      return [
        'Sale',
        {
          outlet: decimal(payload.outlet),
          terminal: payload.terminal,
          saleId: `0x${payload.sale_id}`,
          occurredAt: decimal(payload.occurred_at_ms),
          currency: payload.currency,
          total: decimal(payload.total),
          linesHash: payload.lines_hash,
          buyerKind: place(BUYER_KINDS, payload.buyer_kind),
          buyer: payload.buyer,
        },
      ]
    case 'register_outlet':
      return [
        'RegisterOutlet',
        {
          outlet: decimal(payload.outlet),
          owner: payload.owner,
          kind: place(OUTLET_KINDS, payload.kind),
          city: payload.city,
          currency: payload.currency,
          quotaPerDay: decimal(payload.quota_per_day),
          terminalQuotaPerDay: decimal(payload.terminal_quota_per_day),
          approvalRef: payload.approval_ref,
          approvalExpiresAt: decimal(payload.approval_expires_at_ms),
          approvalSignature: payload.approval_signature,
          nonce: decimal(payload.nonce),
        },
      ]
    case 'register_terminal':
      return [
        'RegisterTerminal',
        {
          outlet: decimal(payload.outlet),
          terminal: payload.terminal,
          kind: place(TERMINAL_KINDS, payload.kind),
          nonce: decimal(payload.nonce),
        },
      ]
    case 'revoke_terminal':
      return [
        'RevokeTerminal',
        {
          outlet: decimal(payload.outlet),
          terminal: payload.terminal,
          nonce: decimal(payload.nonce),
        },
      ]
    case 'claim_receipt':
      return [
        'ClaimReceipt',
        {
          outlet: decimal(payload.outlet),
          saleId: `0x${payload.sale_id}`,
          wallet: payload.wallet,
        },
      ]
    case 'request_payout':
      return ['RequestPayout', { account: payload.account, nonce: decimal(payload.nonce) }]
    case 'full_settlement':
      return ['FullSettlement', { nonce: decimal(payload.nonce) }]
    case 'set_anchor':
      return [
        'SetAnchor',
        {
          token: payload.token,
          anchor: payload.anchor,
          fromEpoch: decimal(payload.from_epoch),
          validatorsHash: payload.validators_hash,
          nonce: decimal(payload.nonce),
        },
      ]
    case 'refund':
      return [
        'Refund',
        {
          outlet: decimal(payload.outlet),
          saleId: `0x${payload.sale_id}`,
          refundId: `0x${payload.refund_id}`,
          amount: decimal(payload.amount),
        },
      ]
    case 'set_bonding':
      return [
        'SetBonding',
        {
          account: payload.account,
          bondingPpm: decimal(payload.bonding_ppm),
          nonce: decimal(payload.nonce),
        },
      ]
    case 'unbond':
      return [
        'Unbond',
        {
          account: payload.account,
          units: decimal(payload.units),
          nonce: decimal(payload.nonce),
        },
      ]
    case 'register_validator':
      return [
        'RegisterValidator',
        {
          outlet: decimal(payload.outlet),
          publicKey: payload.public_key,
          consent: payload.consent,
          nonce: decimal(payload.nonce),
        },
      ]
    case 'heartbeat':
      return ['Heartbeat', { validator: payload.validator, epoch: decimal(payload.epoch) }]
    case 'unjail':
      return ['Unjail', { validator: payload.validator, nonce: decimal(payload.nonce) }]
    case 'evidence':
      return ['Evidence', { offender: payload.offender, offence: offenceBytes(payload.offence) }]
    case 'set_parameters':
      return [
        'SetParameters',
        { parameters: parameters(payload.parameters), nonce: decimal(payload.nonce) },
      ]
    case 'cancel_change':
      return ['CancelChange', { change: decimal(payload.change), nonce: decimal(payload.nonce) }]
    case 'record_consent':
      return [
        'RecordConsent',
        {
          ...witnessed(payload),
          witness: payload.witness,
          witnessSignature: payload.witness_signature,
        },
      ]
    case 'record_legal_basis':
      return [
        'RecordLegalBasis',
        {
          outlet: decimal(payload.outlet),
          camera: decimal(payload.camera),
          kind: place(BASIS_KINDS, payload.kind),
          noticeHash: payload.notice_hash,
          retentionDays: decimal(payload.retention_days),
          until: decimal(payload.until_ms),
          nonce: decimal(payload.nonce),
        },
      ]
    case 'revoke_consent':
      return ['RevokeConsent', { consent: payload.consent }]
    case 'pin_recording':
      return [
        'PinRecording',
        {
          outlet: decimal(payload.outlet),
          camera: decimal(payload.camera),
          consent: payload.consent,
          cid: bytesOfCid(payload.cid),
          manifestHash: payload.manifest_hash,
          sequence: decimal(payload.sequence),
          startedAt: decimal(payload.started_at_ms),
          endedAt: decimal(payload.ended_at_ms),
        },
      ]
    case 'erase_recording':
      return [
        'EraseRecording',
        {
          outlet: decimal(payload.outlet),
          cid: bytesOfCid(payload.cid),
          reason: place(ERASE_REASONS, payload.reason),
        },
      ]
  }
}

function witnessed(consent: WitnessedConsent): Record<string, TypedValue> {
  return {
    outlet: decimal(consent.outlet),
    camera: decimal(consent.camera),
    purposes: String(purposeBits(consent.purposes)),
    commitment: consent.commitment,
    guest: consent.guest,
    until: decimal(consent.until_ms),
  }
}

function parameters(parameters: Parameters): Record<string, TypedValue> {
  return {
    saleTotalMin: decimal(parameters.sale_total_min),
    ownerDebtMax: decimal(parameters.owner_debt_max),
    electionEpochs: decimal(parameters.election_epochs),
    unbondingTime: decimal(parameters.unbonding_ms),
    jailTime: decimal(parameters.jail_ms),
    slashPpm: decimal(parameters.slash_ppm),
    receiptTime: decimal(parameters.receipt_ms),
    poolTime: decimal(parameters.pool_ms),
  }
}

/** A number that is what it seems: beyond 2^53 JavaScript has several names for one. */
function decimal(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${value} is no whole number`)
  return String(value)
}

function place<Word extends string>(words: readonly Word[], word: Word): string {
  const found = words.indexOf(word)
  if (found === -1) throw new Error(`${word} is none of ${words.join(', ')}`)
  return String(found)
}

function bytesOfCid(cid: string): string {
  const bytes = cidBytes(cid)
  if (bytes === null) throw new Error(`${cid} is no content id of the ledger`)
  return bytes
}
