import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashTypedData } from 'viem'
import { digestOf } from '../src/keys.ts'
import { fields } from '../src/typed.ts'
import { chain } from './vectors.ts'

const TYPES = {
  EIP712Domain: fields('string name,string version,uint256 chainId,bytes32 salt'),
  Menu: fields('Stall[] stalls,Address owner,bytes note'),
  Stall: fields('string name,Dish[] dishes,Address place'),
  Dish: fields('string name,uint64 price,bytes16 id'),
  Address: fields('string city,address wallet'),
}
const DOMAIN = { name: 'HotPot', version: '1', chainId: 31337, salt: chain.sidechain_id }

/** With prices as text, or as viem takes them. */
function menuOf(number: (text: string) => unknown) {
  const place = { city: 'თბილისი', wallet: `0x${'b2'.repeat(20)}` }
  const dish = { name: 'khinkali', price: number('849'), id: `0x${'05'.repeat(16)}` }
  const stalls = [
    { name: 'one', dishes: [dish, { ...dish, price: number('18446744073709551615') }], place },
    { name: '', dishes: [], place },
  ]
  return { stalls, owner: place, note: '0xab' }
}

test('structs within structs and lists have viem’s digest, whatever order their types are named in', () => {
  const message = menuOf((text) => text) as Parameters<typeof digestOf>[0]['message']
  const typed = { domain: DOMAIN, types: TYPES, primaryType: 'Menu', message }
  const viems = { ...typed, message: menuOf(BigInt) } as Parameters<typeof hashTypedData>[0]
  assert.equal(digestOf(typed), hashTypedData(viems))

  const turned = Object.fromEntries(Object.entries(TYPES).reverse())
  assert.equal(digestOf({ ...typed, types: turned }), digestOf(typed))
})

test('a message that lacks a field is refused', () => {
  const types = { EIP712Domain: TYPES.EIP712Domain, Address: TYPES.Address }
  const typed = { domain: DOMAIN, types, primaryType: 'Address', message: { city: 'x' } }
  assert.throws(() => digestOf(typed), /Address.wallet is missing/)
})

test('what is none of its type is not hashed as if it were', () => {
  const types = {
    EIP712Domain: TYPES.EIP712Domain,
    One: fields('uint64 amount'),
    Two: fields('address who'),
  }
  const of = (primaryType: string, message: unknown) => () =>
    digestOf({ domain: DOMAIN, types, primaryType, message } as Parameters<typeof digestOf>[0])

  for (const amount of ['', ' ', '-1', '1.5', '0x10', '1e3', [], {}, 1, null])
    assert.throws(of('One', { amount }), Error, JSON.stringify(amount))
  for (const who of ['', '0x', [], {}, new Uint8Array(20), null])
    assert.throws(of('Two', { who }), Error, JSON.stringify(who))
  assert.doesNotThrow(of('One', { amount: '18446744073709551615' }))
})
