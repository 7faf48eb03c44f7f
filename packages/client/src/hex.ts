/** Bytes as `0x…`. Pure. */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'

export const hex = (bytes: Uint8Array): string => `0x${bytesToHex(bytes)}`

/** With or without `0x`. Throws when it is no hex. */
export const bytesOf = (text: string): Uint8Array => hexToBytes(text.replace(/^0x/, ''))
