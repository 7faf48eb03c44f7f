/** The codes between the guest's phone and the outlet's terminal (docs/WALLET.md, Consents), read as typed or scanned. Pure. */
import {
  type PayloadOf,
  PURPOSES,
  type Purpose,
  purposeBits,
  purposesOf,
  type WitnessedConsent,
} from 'hotpot-client'

const ID_MAX = 999_999_999_999_999

/** `HOTPOT-CONSENT:1/CHAIN/OUTLET/CAMERA/PURPOSES/COMMITMENT/GUEST/UNTIL`: capitals, because QR codes hold them densely. */
export function requestCode(sidechainId: string, consent: WitnessedConsent): string {
  const parts = [
    'HOTPOT-CONSENT:1',
    digits(sidechainId),
    consent.outlet,
    consent.camera,
    purposeBits(consent.purposes),
    digits(consent.commitment),
    digits(consent.guest),
    consent.until_ms,
  ]
  return parts.join('/')
}

function digits(hex: string): string {
  return hex.replace(/^0x/, '').toUpperCase()
}

/** What a terminal answers. */
export type Answer =
  /** It signed the very request: who, and the signature. */
  | { kind: 'signature'; witness: string; signature: string }
  /** It made the consent itself, with its own salt, for the guest's address. */
  | { kind: 'consent'; consent: PayloadOf<'record_consent'> }

/** `HOTPOT-WITNESS:1/ADDRESS/SIGNATURE`, a link that ends with one, or the JSON of `hotpot wallet consent`; null when it is none. */
export function parseAnswer(text: string): Answer | null {
  const code = /HOTPOT-WITNESS:1\/([0-9a-f]{40})\/([0-9a-f]{130})$/i.exec(decoded(text.trim()))
  if (code)
    return {
      kind: 'signature',
      witness: `0x${code[1]?.toLowerCase()}`,
      signature: `0x${code[2]?.toLowerCase()}`,
    }
  const consent = parseConsent(text)
  return consent && { kind: 'consent', consent }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function parseConsent(text: string): PayloadOf<'record_consent'> | null {
  try {
    return checkedConsent(JSON.parse(text))
  } catch {
    return null
  }
}

/** Only what a consent is made of, each part in its form. */
function checkedConsent(found: Record<string, unknown> | null): PayloadOf<'record_consent'> | null {
  if (found?.type !== 'record_consent') return null
  const { outlet, camera, purposes, until_ms } = found
  const [commitment, guest, witness, signature] = [
    hexOf(found.commitment, 32),
    hexOf(found.guest, 20),
    hexOf(found.witness, 20),
    hexOf(found.witness_signature, 65),
  ]
  if (!isNumber(outlet) || !isNumber(camera) || !isNumber(until_ms) || !arePurposes(purposes))
    return null
  if (!commitment || !guest || !witness || !signature) return null
  return {
    type: 'record_consent',
    outlet,
    camera,
    purposes: purposesOf(purposeBits(purposes)),
    commitment,
    guest,
    until_ms,
    witness,
    witness_signature: signature,
  }
}

function hexOf(value: unknown, length: number): string | null {
  return typeof value === 'string' && new RegExp(`^0x[0-9a-fA-F]{${2 * length}}$`).test(value)
    ? value.toLowerCase()
    : null
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= ID_MAX
}

function arePurposes(value: unknown): value is Purpose[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((word) => (PURPOSES as readonly unknown[]).includes(word))
  )
}

/** `?outlet=1&camera=3` of the QR code on the table; null when it names none. */
export function parseTable(query: string): { outlet: number; camera: number } | null {
  const found = new URLSearchParams(query)
  return tableOf(found.get('outlet') ?? '', found.get('camera') ?? '')
}

/** What people type. */
export function tableOf(outlet: string, camera: string): { outlet: number; camera: number } | null {
  if (!/^\d{1,15}$/.test(outlet.trim()) || !/^\d{1,6}$/.test(camera.trim())) return null
  return { outlet: Number(outlet), camera: Number(camera) }
}
