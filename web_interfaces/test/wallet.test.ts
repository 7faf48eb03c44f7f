import assert from 'node:assert/strict'
import { test } from 'node:test'
import { watchTypedData } from 'hotpot-client'
import {
  connect,
  findWallet,
  normalized,
  signTyped,
  type Wallet,
  type WalletError,
} from '../src/shared/wallet.ts'
import { giveWallet } from './browser.ts'

const ACCOUNT = '0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266'
const SIGNATURE = `0x${'AB'.repeat(64)}1b`
const data = watchTypedData({ evm_chain_id: 31337, sidechain_id: `0x${'b3'.repeat(32)}` }, 1, 1)

/** A wallet that answers by method; an Error is thrown. */
function wallet(answers: Record<string, unknown>): { wallet: Wallet; heard: string[] } {
  const heard: string[] = []
  const request = async ({ method }: { method: string }) => {
    heard.push(method)
    const answer = answers[method]
    if (answer instanceof Error) throw answer
    return answer
  }
  return { wallet: { request }, heard }
}
const failing = (code: number) => Object.assign(new Error('said the wallet'), { code })
const problem = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no problem',
    (cause: WalletError) => cause.problem,
  )

test('a wallet on the right chain is asked for a signature, one on another is asked to change first', async () => {
  const here = wallet({ eth_chainId: '0x7a69', eth_signTypedData_v4: SIGNATURE })
  assert.equal(await signTyped(here.wallet, ACCOUNT, data), SIGNATURE.toLowerCase())
  assert.deepEqual(here.heard, ['eth_chainId', 'eth_signTypedData_v4'])
  const elsewhere = wallet({ eth_chainId: '0x1', eth_signTypedData_v4: SIGNATURE })
  await signTyped(elsewhere.wallet, ACCOUNT, data)
  assert.deepEqual(elsewhere.heard, [
    'eth_chainId',
    'wallet_switchEthereumChain',
    'eth_signTypedData_v4',
  ])
})

test('each way in which a wallet does not sign has its name', async () => {
  const signing = (answer: unknown) =>
    problem(
      signTyped(
        wallet({ eth_chainId: '0x7a69', eth_signTypedData_v4: answer }).wallet,
        ACCOUNT,
        data,
      ),
    )
  assert.equal(await problem(signTyped(null, ACCOUNT, data)), 'none')
  assert.equal(await signing(failing(4001)), 'refused')
  assert.equal(await signing(failing(-32002)), 'pending')
  assert.equal(await signing(failing(-32603)), 'failed')
  assert.equal(await signing(null), 'failed')
  assert.equal(await signing('0x1234'), 'failed')
  const unknown = wallet({ eth_chainId: '0x1', wallet_switchEthereumChain: failing(4902) })
  assert.equal(await problem(signTyped(unknown.wallet, ACCOUNT, data)), 'wrong_chain')
})

test('an account is one address, in small letters', async () => {
  assert.equal(
    await connect(wallet({ eth_requestAccounts: [ACCOUNT] }).wallet),
    ACCOUNT.toLowerCase(),
  )
  for (const accounts of [[], null, ['0x12'], 'x', [7]]) {
    assert.equal(
      await problem(connect(wallet({ eth_requestAccounts: accounts }).wallet)),
      'failed',
      String(accounts),
    )
  }
  assert.equal(
    await problem(connect(wallet({ eth_requestAccounts: failing(4001) }).wallet)),
    'refused',
  )
  assert.equal(await problem(connect(null)), 'none')
})

test('a signature ends with 27 or 28, whatever the wallet makes it end with', () => {
  const end = (v: string) => normalized(`0x${'ab'.repeat(64)}${v}`).slice(-2)
  assert.deepEqual(['00', '01', '1b', '1C'].map(end), ['1b', '1c', '1b', '1c'])
})

test('a wallet is whatever can be asked in the browser', () => {
  assert.equal(findWallet(), null)
  const { wallet: found } = wallet({})
  giveWallet(found)
  assert.equal(findWallet(), found)
  giveWallet({} as Wallet)
  assert.equal(findWallet(), null, 'something else has taken the name')
  giveWallet(null)
})
