/** A guest's one-time key, and what is signed with it. WebCrypto has no secp256k1, so this is the one place with a library. Pure. */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import type { TypedData } from '../shared/typed.ts'

const hex = (bytes: Uint8Array) => `0x${bytesToHex(bytes)}`
const bytes = (text: string) => hexToBytes(text.replace(/^0x/, ''))

/** 32 random bytes as `0x…`. */
export function randomSalt(): string {
  return hex(crypto.getRandomValues(new Uint8Array(32)))
}

export function newKey(): string {
  return hex(secp256k1.utils.randomSecretKey())
}

export function addressOf(key: string): string {
  return addressOfPoint(secp256k1.getPublicKey(bytes(key), false))
}

function addressOfPoint(uncompressed: Uint8Array): string {
  return hex(keccak_256(uncompressed.subarray(1)).subarray(12))
}

/** What the ledger gets of who sat where: it says nothing without the salt. */
export function commitmentOf(salt: string, reference: string): string {
  return hex(keccak_256(concatBytes(bytes(salt), utf8ToBytes(reference))))
}

/** The EIP-712 digest; of a transaction this is its id. */
export function digestOf(data: TypedData): string {
  const domain = hashStruct(data, 'EIP712Domain', {
    ...data.domain,
    chainId: String(data.domain.chainId),
  })
  return hex(
    keccak_256(
      concatBytes(
        Uint8Array.of(0x19, 0x01),
        domain,
        hashStruct(data, data.primaryType, data.message),
      ),
    ),
  )
}

function hashStruct(data: TypedData, type: string, values: Record<string, string>): Uint8Array {
  const fields = data.types[type] ?? []
  const typeText = `${type}(${fields.map((field) => `${field.type} ${field.name}`).join(',')})`
  const words = fields.map((field) => word(field.type, values[field.name] ?? ''))
  return keccak_256(concatBytes(keccak_256(utf8ToBytes(typeText)), ...words))
}

function word(type: string, value: string): Uint8Array {
  if (type === 'string') return keccak_256(utf8ToBytes(value))
  if (type === 'bytes') return keccak_256(bytes(value))
  const digits = type.startsWith('uint') ? BigInt(value).toString(16) : value.replace(/^0x/, '')
  return bytes(digits.padStart(64, '0'))
}

/** r‖s‖v, with a low s and v 27 or 28. */
export function sign(data: TypedData, key: string): string {
  const signed = secp256k1.sign(bytes(digestOf(data)), bytes(key), {
    prehash: false,
    format: 'recovered',
  })
  return hex(concatBytes(signed.subarray(1), Uint8Array.of(27 + (signed[0] ?? 0))))
}

/** Who signed; null when the signature is none. */
export function signerOf(data: TypedData, signature: string): string | null {
  try {
    const given = bytes(signature)
    const recovery = (given[64] ?? 0) - 27
    if (given.length !== 65) return null
    const point = secp256k1.recoverPublicKey(
      concatBytes(Uint8Array.of(recovery), given.subarray(0, 64)),
      bytes(digestOf(data)),
      { prehash: false },
    )
    return addressOfPoint(secp256k1.Point.fromBytes(point).toBytes(false))
  } catch {
    return null
  }
}
