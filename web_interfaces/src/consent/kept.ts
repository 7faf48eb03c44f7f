/** What a guest's phone keeps of a consent: the one-time key, the salt, and how far it has come. Pure but for `storage`. */
import type { ConsentAnswer, PayloadOf, RecordConsent, WitnessedConsent } from 'hotpot-client'
import type { Answer } from './codes.ts'

export interface Kept extends WitnessedConsent {
  /** Of the network it is for. */
  sidechain_id: string
  /** The one-time key; null when the guest's wallet signs. */
  key: string | null
  /** What the commitment is made of; null when the terminal made it. */
  salt: string | null
  reference: string | null
  witness: string | null
  witness_signature: string | null
  /** Of the consent, once the guest signed it. */
  id: string | null
  /** Whether the ledger has it. */
  recorded: boolean
}

const STORED = 'hotpot.consents'
/** Older ones are over for long: a consent lives twelve hours at most. */
const FORGET_AFTER_MS = 30 * 86_400_000

/** The newest consent of this phone for a table; a finished one stays until the guest forgets it. */
export function keptFor(
  all: readonly Kept[],
  table: { outlet: number; camera: number },
  sidechainId: string,
): Kept | null {
  return (
    all.find(
      (kept) =>
        kept.outlet === table.outlet &&
        kept.camera === table.camera &&
        kept.sidechain_id === sidechainId,
    ) ?? null
  )
}

/** With this one in place of what was kept for the same table. */
export function withKept(all: readonly Kept[], kept: Kept): Kept[] {
  return [kept, ...all.filter((one) => !sameTable(one, kept))]
}

export function withoutKept(all: readonly Kept[], kept: Kept): Kept[] {
  return all.filter((one) => !sameTable(one, kept))
}

function sameTable(one: Kept, other: Kept): boolean {
  return (
    one.outlet === other.outlet &&
    one.camera === other.camera &&
    one.sidechain_id === other.sidechain_id
  )
}

/** What was stored; what cannot be read, or is long over, is left out. */
export function parseKept(text: string | null, nowMs: number): Kept[] {
  try {
    const found: unknown = JSON.parse(text ?? '[]')
    return Array.isArray(found)
      ? found.filter(isKept).filter((kept) => kept.until_ms > nowMs - FORGET_AFTER_MS)
      : []
  } catch {
    return []
  }
}

const TEXT_FIELDS = ['sidechain_id', 'commitment', 'guest'] as const
const TEXT_OR_NULL_FIELDS = [
  'key',
  'salt',
  'reference',
  'witness',
  'witness_signature',
  'id',
] as const

function isKept(found: unknown): found is Kept {
  const one = (found ?? {}) as Record<string, unknown>
  const texts = TEXT_FIELDS.every((name) => typeof one[name] === 'string')
  const nullable = TEXT_OR_NULL_FIELDS.every(
    (name) => one[name] === null || typeof one[name] === 'string',
  )
  const numbers = ['outlet', 'camera', 'until_ms'].every((name) => typeof one[name] === 'number')
  return (
    texts && nullable && numbers && typeof one.recorded === 'boolean' && Array.isArray(one.purposes)
  )
}

/** What this phone keeps; nothing leaves it but what the guest signs. */
export const storage = {
  read: (): Kept[] => {
    try {
      return parseKept(localStorage.getItem(STORED), Date.now())
    } catch {
      return []
    }
  },
  /** False when the browser keeps nothing: then no key may be made, or nobody could revoke. */
  write: (all: readonly Kept[]): boolean => {
    try {
      localStorage.setItem(STORED, JSON.stringify(all))
      return true
    } catch {
      return false
    }
  },
}

/** What a guest chooses; key, salt and commitment are made for it. */
export type Terms = Pick<WitnessedConsent, 'outlet' | 'camera' | 'purposes' | 'until_ms'>

/** What the commitment is over: who sat where. */
export function referenceOf(
  { outlet, camera }: { outlet: number; camera: number },
  guest: string,
): string {
  return `outlet ${outlet}, camera ${camera}, guest ${guest}`
}

/** The request of a guest who agreed. */
export function requestOf(
  terms: Terms,
  sidechainId: string,
  signer: { guest: string; key: string | null },
  secret: { salt: string; commitment: string },
): Kept {
  const reference = referenceOf(terms, signer.guest)
  return {
    ...terms,
    ...signer,
    ...secret,
    sidechain_id: sidechainId,
    reference,
    witness: null,
    witness_signature: null,
    id: null,
    recorded: false,
  }
}

/** Why a terminal's answer cannot be taken. */
export type AnswerProblem =
  | 'unreadable'
  | 'other_table'
  | 'other_guest'
  | 'more_than_agreed'
  | 'not_signed'

/** The consent with the terminal's part. `witnessOf` says who signed what a terminal signs. */
export function answered(
  kept: Kept,
  answer: Answer | null,
  witnessOf: (consent: WitnessedConsent, signature: string) => string | null,
): Kept | AnswerProblem {
  if (answer === null) return 'unreadable'
  const taken =
    answer.kind === 'signature'
      ? { ...kept, witness: answer.witness, witness_signature: answer.signature }
      : adopted(kept, answer.consent)
  if (typeof taken === 'string') return taken
  return witnessOf(taken, taken.witness_signature ?? '') === taken.witness ? taken : 'not_signed'
}

/** A consent that the terminal made: its salt is the terminal's, and it may not allow more than the guest agreed to. */
function adopted(kept: Kept, consent: RecordConsent): Kept | AnswerProblem {
  if (consent.outlet !== kept.outlet || consent.camera !== kept.camera) return 'other_table'
  if (consent.guest !== kept.guest) return 'other_guest'
  if (consent.purposes.some((purpose) => !kept.purposes.includes(purpose)))
    return 'more_than_agreed'
  const { purposes, commitment, until_ms, witness, witness_signature } = consent
  return {
    ...kept,
    purposes,
    commitment,
    until_ms,
    witness,
    witness_signature,
    salt: null,
    reference: null,
  }
}

/** The transaction that the guest signs; null before the terminal has. */
export function recordOf(kept: Kept): PayloadOf<'record_consent'> | null {
  const { outlet, camera, purposes, commitment, guest, until_ms, witness, witness_signature } = kept
  if (witness === null || witness_signature === null) return null
  return {
    type: 'record_consent',
    outlet,
    camera,
    purposes,
    commitment,
    guest,
    until_ms,
    witness,
    witness_signature,
  }
}

export type Step = 'asked' | 'witnessed' | 'in_force' | 'revoked' | 'over'

/** How far it has come. `answer` is the node's word, once there is one. */
export function stepOf(
  kept: Kept,
  answer: Pick<ConsentAnswer, 'until_ms' | 'revoked_at_ms'> | null,
  nowMs: number,
): Step {
  if (answer?.revoked_at_ms !== undefined) return 'revoked'
  if ((answer?.until_ms ?? kept.until_ms) <= nowMs) return 'over'
  if (kept.recorded || answer !== null) return 'in_force'
  return kept.witness_signature === null ? 'asked' : 'witnessed'
}
