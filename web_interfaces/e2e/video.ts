/** Scenarios of the two pages about cameras: what a guest allows and takes back, and what the outlet sees of it. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import {
  type AsOf,
  type Chain,
  type PageAsOfRecordingRow,
  type RecordingRow,
  type SignedTransaction,
  transactionTypedData,
} from 'hotpot-client'
import { signerOf } from 'hotpot-client/keys'
import { settings } from './settings.ts'
import { witness } from './till.ts'
import { type Visit, WIDTHS } from './visit.ts'
import { giveWallet } from './wallet.ts'

/** No other scenario uses this camera. */
const CAMERA = 71
const TABLE = `/consent.html?outlet=1&camera=${CAMERA}`
const REVOKED_WITHIN_MS = 10_000

export const videoScenarios = [
  {
    name: 'consent: without a table the page asks for it, and nothing is ticked for the guest',
    run: consentAsks,
  },
  {
    name: 'consent: a guest allows with the till’s answer, and takes it back after a reload',
    run: consentWalks,
  },
  {
    name: 'video: consents and recordings in each state, at each width and in both themes',
    run: videoFits,
  },
  {
    name: 'video: an erasure is signed by the owner’s wallet; without one the page says what to do',
    run: erases,
  },
  { name: 'video: an outlet without cameras says so', run: videoEmpty },
]

async function consentWalks(visit: Visit) {
  await visit.open(TABLE)
  await visit.page.getByLabel(/^Recording/).check()
  await visit.page.getByRole('button', { name: /^I agree/ }).click()
  const request = await visit.textOf('request-code')
  await fits(visit, 'asked')
  await visit.page.getByLabel('The till’s answer').fill('HOTPOT-WITNESS:1/00')
  await visit.page.getByRole('button', { name: 'Continue' }).click()
  await visit.page
    .locator('#answer-help')
    .getByText(/no answer of a till/)
    .waitFor()

  const guest = `0x${request.split('/')[6]?.toLowerCase()}`
  await visit.page.getByLabel('The till’s answer').fill(await witness(guest, CAMERA))
  await visit.page.getByRole('button', { name: 'Continue' }).click()
  await visit.page.getByRole('button', { name: 'Sign and switch on' }).click()
  await visit.get('revoke').waitFor()
  assert.equal((await inForce(visit)).length, 1, 'a node says that it is in force')
  await fits(visit, 'in force')
  await visit.screenshot('consent-in-force')

  await visit.page.reload()
  const asked = Date.now()
  await visit.get('revoke').click()
  await visit.page.locator('[data-step=revoked]').waitFor()
  assert.ok(Date.now() - asked < REVOKED_WITHIN_MS, `revoked after ${Date.now() - asked} ms`)
  assert.equal((await inForce(visit)).length, 0, 'a node says that it is over')
  await fits(visit, 'revoked')
  await visit.page.getByRole('button', { name: 'Forget this on my device' }).click()
  await visit.get('agree').waitFor()
  assert.equal(
    await visit.page.evaluate(() => localStorage.getItem('hotpot.consents')),
    '[]',
    'the key is gone',
  )
}

async function inForce(visit: Visit): Promise<unknown[]> {
  return (
    await visit.page.request.get(`${settings.gateway}/api/v1/outlets/1/consents?camera=${CAMERA}`)
  ).json()
}

async function consentAsks(visit: Visit) {
  await visit.open('/consent.html')
  await visit.get('table-form').waitFor()
  await fits(visit, 'no table')
  await visit.page.getByLabel('Outlet').fill('1')
  await visit.page.getByLabel('Camera').fill(String(CAMERA))
  await visit.page.keyboard.press('Enter')
  await visit.get('agree').waitFor()
  assert.equal(await visit.page.locator('input[type=checkbox]:checked').count(), 0)
  await visit.page.getByRole('button', { name: /^I agree/ }).click()
  assert.match(await visit.page.getByRole('alert').innerText(), /at least one/)
  for (const [tag, word] of [
    ['ქარ', 'რა უნდა იცოდეთ'],
    ['RU', 'Что важно знать'],
    ['EN', 'What you should know'],
  ] as const) {
    await visit.page.getByRole('button', { name: new RegExp(`^${tag},`) }).click()
    await visit.until(
      `the terms speak ${tag}`,
      () => visit.page.locator('#terms-title').innerText(),
      (text) => text === word,
    )
    await fits(visit, tag)
  }
}

async function videoFits(visit: Visit) {
  await showRecordings(visit)
  await visit.open('/video.html#/outlet/1')
  await visit.get('recordings').waitFor()
  const states = await visit.page
    .locator('[data-cid]')
    .evaluateAll((all) => all.map((one) => one.getAttribute('data-state')))
  assert.deepEqual(states, ['pinned', 'in_checkpoint', 'anchored', 'erased'])
  await visit.page
    .getByRole('button', { name: /^Details/ })
    .nth(2)
    .click()
  assert.match(
    (await visit.get('proof').getAttribute('href')) ?? '',
    /^\/api\/v1\/recordings\/bafk[a-z2-7]+\/proof$/,
  )
  for (const theme of ['light', 'dark'] as const) {
    await visit.theme(theme)
    await fits(visit, theme)
    for (const width of [390, 1280]) {
      await visit.width(width)
      await visit.screenshot(`video-${width}-${theme}`)
    }
  }
}

async function erases(visit: Visit) {
  await showRecordings(visit)
  await visit.open('/video.html#/outlet/1')
  await openErasure(visit)
  await visit.get('erase-no-wallet').waitFor()

  const account = await giveWallet(visit, `${settings.dataDir}/keys/owner-1.json`)
  await visit.page.route('**/api/v1/transactions', (route) =>
    route.fulfill({ status: 201, json: { id: '0x', status: 'final' } }),
  )
  const sent = visit.page.waitForRequest('**/api/v1/transactions')
  await visit.page.reload()
  await openErasure(visit)
  await visit.page.getByLabel('Reason').selectOption('request')
  await visit.page.getByRole('button', { name: 'Sign and erase' }).click()
  const { signature, ...payload } = (await sent).postDataJSON() as SignedTransaction
  const chain: Chain = await (
    await visit.page.request.get(`${settings.gateway}/api/v1/network`)
  ).json()
  assert.equal(
    signerOf(transactionTypedData(chain, payload), signature),
    account,
    'the owner signed what was sent',
  )
}

async function openErasure(visit: Visit) {
  await visit.page
    .getByRole('button', { name: /^Details/ })
    .first()
    .click()
  await visit.get('erase').click()
}

async function videoEmpty(visit: Visit) {
  await visit.page.route('**/api/v1/consents?*', (route) =>
    route.fulfill({ json: { data: [], next_cursor: null, has_more: false, as_of: {} } }),
  )
  await visit.open('/video.html#/outlet/1')
  await visit.get('no-recording').waitFor()
  await visit.get('no-camera').waitFor()
  await fits(visit, 'empty')
}

/** Four recordings of the frozen vectors, one in each state: a network without cameras has none. */
async function showRecordings(visit: Visit) {
  const vectors = JSON.parse(
    readFileSync(
      new URL('../../crates/domain/tests/vectors/recordings.json', import.meta.url),
      'utf8',
    ),
  )
  const cids = [
    ...new Set((vectors.recordings as { entry: { cid: string } }[]).map(({ entry }) => entry.cid)),
  ]
  const at = new Date().toISOString()
  const erased = { height: 9, at, by: `0x${'05'.repeat(20)}`, reason: 'retention' as const }
  const states = [
    { epoch: null, anchored: false },
    { epoch: 3, anchored: false },
    { epoch: 3, anchored: true },
    { epoch: 3, anchored: true, erased },
  ]
  const data: RecordingRow[] = states.map((state, number) => ({
    cid: cids[number] ?? '',
    transaction_id: `0x${'01'.repeat(32)}`,
    outlet: 1,
    camera: 7,
    consent: `0x${'02'.repeat(32)}`,
    manifest_hash: `0x${'03'.repeat(32)}`,
    sequence: number,
    started_at: at,
    ended_at: at,
    agent: `0x${'04'.repeat(20)}`,
    height: 8,
    erased: null,
    ...state,
  }))
  const as_of: AsOf = {
    at,
    height: 9,
    block_time: at,
    evm_block: 9,
    evm_block_time: at,
    evm_finalized_block: 1,
  }
  const page: PageAsOfRecordingRow = { data, next_cursor: null, has_more: false, as_of }
  await visit.page.route('**/api/v1/recordings?*', (route) => route.fulfill({ json: page }))
}

async function fits(visit: Visit, where: string) {
  for (const width of WIDTHS) {
    await visit.width(width)
    await visit.refuseOverflow(`${where}, ${width}`)
  }
  await visit.refuseAxeViolations(where)
}
