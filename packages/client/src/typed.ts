/** How EIP-712 typed data is written down; `eip712.ts` makes its digest. Pure, and without a library. */

export interface Field {
  name: string
  type: string
}

/** Numbers are decimal text, since wallets differ in how large a number they read. */
export type TypedValue = string | TypedValue[] | { [field: string]: TypedValue }

/** As `eth_signTypedData_v4` takes it. */
export interface TypedData {
  domain: { name: string; version: string; chainId: number; salt: string }
  types: Record<string, Field[]>
  primaryType: string
  message: Record<string, TypedValue>
}

/** `uint64 outlet,address owner` → its fields. */
export function fields(text: string): Field[] {
  return text.split(',').map((field) => {
    const [type = '', name = ''] = field.split(' ')
    return { name, type }
  })
}
