/** Content ids as the ledger takes them: CIDv1, raw or dag-pb, SHA-256; base32 in JSON, 36 bytes in what is signed. Pure. */

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
const CID_BYTES = 36
const CODECS = [0x55, 0x70]

/** `bafk…` → its 36 bytes as `0x…`; null when it is no such content id. */
export function cidBytes(cid: string): string | null {
  if (!/^b[a-z2-7]{58}$/.test(cid)) return null
  const bytes = base32Bytes(cid.slice(1))
  const head = [bytes[0], bytes[2], bytes[3]].join()
  if (
    bytes.length !== CID_BYTES ||
    head !== [0x01, 0x12, 0x20].join() ||
    !CODECS.includes(bytes[1] ?? 0)
  )
    return null
  return `0x${bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
}

function base32Bytes(text: string): number[] {
  const bytes: number[] = []
  let held = 0
  let bits = 0
  for (const letter of text) {
    held = (held << 5) | ALPHABET.indexOf(letter)
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push(held >> bits)
    held &= (1 << bits) - 1
  }
  // Bits that are left over must be 0, or one content would have two names.
  return held === 0 ? bytes : []
}
