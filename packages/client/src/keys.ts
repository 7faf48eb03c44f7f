/** Keys of actors, and what is signed with them. WebCrypto has no secp256k1, so this is the one place with a library. */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { digestOf } from './eip712.ts'
import { bytesOf, hex } from './hex.ts'
import { saleTypedData, type UnsignedSale } from './sale.ts'
import type { SaleRequest } from './schema.ts'
import type { TypedData } from './typed.ts'
import type { Chain } from './typed-data.ts'

export { digestOf } from './eip712.ts'
export { linesHash, saleTypedData } from './sale.ts'

/** 32 random bytes as `0x…`. */
export function randomSalt(): string {
  return hex(crypto.getRandomValues(new Uint8Array(32)))
}

export function newKey(): string {
  return hex(secp256k1.utils.randomSecretKey())
}

export function addressOf(key: string): string {
  return addressOfPoint(secp256k1.getPublicKey(bytesOf(key), false))
}

function addressOfPoint(uncompressed: Uint8Array): string {
  return hex(keccak_256(uncompressed.subarray(1)).subarray(12))
}

/** What the ledger gets of who sat where: it says nothing without the salt. */
export function commitmentOf(salt: string, reference: string): string {
  return hex(keccak_256(concatBytes(bytesOf(salt), utf8ToBytes(reference))))
}

/** r‖s‖v, with a low s and v 27 or 28. */
export function sign(data: TypedData, key: string): string {
  const signed = secp256k1.sign(bytesOf(digestOf(data)), bytesOf(key), {
    prehash: false,
    format: 'recovered',
  })
  return hex(concatBytes(signed.subarray(1), Uint8Array.of(27 + (signed[0] ?? 0))))
}

/** Who signed; null when the signature is none to the ledger: 65 bytes, a low s, and v 27 or 28. */
export function signerOf(data: TypedData, signature: string): string | null {
  try {
    const given = bytesOf(signature)
    const recovery = given[64] === 27 ? 0 : given[64] === 28 ? 1 : null
    if (given.length !== 65 || recovery === null) return null

    const parts = secp256k1.Signature.fromBytes(given.subarray(0, 64)).addRecoveryBit(recovery)
    if (parts.hasHighS()) return null
    return addressOfPoint(parts.recoverPublicKey(bytesOf(digestOf(data))).toBytes(false))
  } catch {
    return null
  }
}

/** A sale with the signature of its terminal's key. */
export function signSale(chain: Chain, sale: UnsignedSale, key: string): SaleRequest {
  return { ...sale, signature: sign(saleTypedData(chain, sale), key) }
}
