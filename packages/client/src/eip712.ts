/** The digest of EIP-712 typed data, as the standard has it: structs within structs and lists too. Pure. */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { bytesOf, hex } from './hex.ts'
import type { Field, TypedData, TypedValue } from './typed.ts'

const ADDRESS_BYTES = 20

/** What is signed; of a transaction this is its id. */
export function digestOf(data: TypedData): string {
  const { domain, types, primaryType, message } = data
  const separator = hashStruct(types, 'EIP712Domain', {
    ...domain,
    chainId: String(domain.chainId),
  })
  const content = hashStruct(types, primaryType, message)
  return hex(keccak_256(concatBytes(Uint8Array.of(0x19, 0x01), separator, content)))
}

/** `hashStruct` of a value of one of these types. */
export function hashStruct(
  types: Record<string, Field[]>,
  type: string,
  value: Record<string, TypedValue>,
): Uint8Array {
  const typeHash = keccak_256(utf8ToBytes(encodeType(types, type)))
  const words = (types[type] ?? []).map((field) => {
    const found = value[field.name]
    if (found === undefined) throw new Error(`${type}.${field.name} is missing`)
    return encodeField(types, field.type, found)
  })
  return keccak_256(concatBytes(typeHash, ...words))
}

/** The type itself, then every type that it is made of, names ascending. */
function encodeType(types: Record<string, Field[]>, type: string): string {
  const parts = partsOf(types, type)
  parts.delete(type)
  return [type, ...[...parts].sort()].map((name) => encodeOne(name, types[name] ?? [])).join('')
}

function encodeOne(name: string, list: Field[]): string {
  return `${name}(${list.map((field) => `${field.type} ${field.name}`).join(',')})`
}

function partsOf(types: Record<string, Field[]>, type: string, found = new Set<string>()) {
  const name = type.replace(/\[\d*\]$/, '')
  if (found.has(name) || types[name] === undefined) return found
  found.add(name)
  for (const field of types[name]) partsOf(types, field.type, found)
  return found
}

function encodeField(types: Record<string, Field[]>, type: string, value: TypedValue): Uint8Array {
  const item = /^(.+)\[\d*\]$/.exec(type)?.[1]
  if (item !== undefined && Array.isArray(value))
    return keccak_256(concatBytes(...value.map((one) => encodeField(types, item, one))))
  if (types[type] !== undefined && isStruct(value)) return hashStruct(types, type, value)
  if (typeof value !== 'string') throw new Error(`${type} is not given as text`)
  if (type === 'string') return keccak_256(utf8ToBytes(value))
  if (type === 'bytes') return keccak_256(bytesOf(value))
  return encodeWord(type, value)
}

function isStruct(value: TypedValue): value is { [field: string]: TypedValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Numbers and addresses stand at the right of their word, `bytesN` at the left. Throws when it is none of its type. */
function encodeWord(type: string, value: string): Uint8Array {
  const [, kind = '', size = ''] = /^(uint|bytes|address)(\d*)$/.exec(type) ?? []
  if (kind === 'uint') return bytesOf(numberDigits(value, Number(size)).padStart(64, '0'))

  const digits = value.replace(/^0x/, '')
  const length = kind === 'bytes' ? Number(size) : ADDRESS_BYTES
  if (kind === '' || digits.length !== 2 * length) throw new Error(`${value} is no ${type}`)
  return bytesOf(kind === 'bytes' ? digits.padEnd(64, '0') : digits.padStart(64, '0'))
}

function numberDigits(value: string, bits: number): string {
  if (!/^\d+$/.test(value)) throw new Error(`${value || 'nothing'} is no uint${bits}`)
  const number = BigInt(value)
  if (number >= 1n << BigInt(bits)) throw new Error(`${value} is no uint${bits}`)
  return number.toString(16)
}
