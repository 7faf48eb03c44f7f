/** Scenarios of a network with a video agent (`hotpot up --with-video`): what is live, recorded, erased and revoked for real. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Locator } from 'playwright-core'
import { network, settings } from './settings.ts'
import { type Visit, WIDTHS } from './visit.ts'
import { giveWallet } from './wallet.ts'

const OUTLET = 1
const KITCHEN = 1
const TABLE = 2
const PAGE = `/video.html#/outlet/${OUTLET}`
/** A recording takes seconds, its checkpoint an epoch, and that is final some blocks later. */
const ANCHORED_WAIT_MS = 120_000

export const liveScenarios = [
  { name: 'live: the owner looks at the anonymised picture, and it moves', run: looks },
  { name: 'live: recordings are listed and anchored', run: areAnchored },
  { name: 'live: what the owner erases is gone from the agent too', run: erasesForGood },
  {
    name: 'live: a guest revokes, the camera stops, and the recordings become tombstones',
    run: revokes,
  },
]

async function openAsOwner(visit: Visit) {
  await visit.open(PAGE)
  await giveWallet(visit, `${settings.dataDir}/keys/owner-${OUTLET}.json`)
  await visit.page.reload()
  await visit.page.getByRole('button', { name: 'Open with the wallet' }).click()
}

async function looks(visit: Visit) {
  await openAsOwner(visit)
  await chip(visit, KITCHEN, 'live')
  const picture = visit.page.locator('video[data-testid=preview]')
  const shown = () =>
    picture.evaluate((one) => ({
      at: (one as HTMLVideoElement).currentTime,
      wide: (one as HTMLVideoElement).videoWidth,
    }))
  const first = await visit.until('a picture', shown, ({ at, wide }) => at > 0 && wide > 0, 40_000)
  await visit.until('the picture moves', shown, ({ at }) => at > first.at + 1)
  await visit.until(
    'more than a solid frame',
    () => coloursOf(picture),
    (colours) => colours > 20,
    60_000,
  )
  for (const width of WIDTHS) {
    await visit.width(width)
    await visit.refuseOverflow(`live, ${width}`)
    await visit.screenshot(`live-${width}`)
  }
  await visit.refuseAxeViolations('live')
  await visit.page.reload()
  await visit.until(
    'it stays open',
    () => picture.count(),
    (count) => count === 1,
  )
}

/** How many colours a frame has, coarsely: one that is solid has one or two. */
function coloursOf(picture: Locator): Promise<number> {
  return picture.evaluate((one) => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 36 })
    const drawing = canvas.getContext('2d')
    drawing?.drawImage(one as HTMLVideoElement, 0, 0, 64, 36)
    const { data } = drawing?.getImageData(0, 0, 64, 36) ?? { data: [] }
    const colours = new Set<number>()
    for (let at = 0; at + 2 < data.length; at += 4)
      colours.add(
        ((data[at] ?? 0) >> 3) * 1024 +
          ((data[at + 1] ?? 0) >> 3) * 32 +
          ((data[at + 2] ?? 0) >> 3),
      )
    return colours.size
  })
}

async function areAnchored(visit: Visit) {
  await visit.open(PAGE)
  const anchored = () => visit.page.locator('[data-cid][data-state=anchored]').count()
  await visit.until(
    'an anchored recording',
    async () => {
      await visit.page.reload()
      await visit.get('recordings').waitFor()
      return anchored()
    },
    (count) => count > 0,
    ANCHORED_WAIT_MS,
  )
  await visit.page
    .locator('[data-state=anchored]')
    .first()
    .getByRole('button', { name: /^Details/ })
    .click()
  const proof = await visit.page.request.get(
    `${settings.gateway}${await visit.get('proof').first().getAttribute('href')}`,
  )
  assert.equal(proof.status(), 200, 'the proof is there')
  await visit.screenshot('live-recordings')
}

async function erasesForGood(visit: Visit) {
  await openAsOwner(visit)
  const row = visit.page
    .locator('[data-cid]')
    .filter({ hasText: `Camera ${KITCHEN}` })
    .first()
  const cid = (await row.getAttribute('data-cid')) ?? ''
  const chosen = visit.page.locator(`[data-cid="${cid}"]`)
  await chosen.getByRole('button', { name: /^Details/ }).click()
  await chosen.getByTestId('erase').click()
  await visit.page.getByLabel('Reason').selectOption('request')
  await visit.page.getByRole('button', { name: 'Sign and erase' }).click()
  await visit.until(
    'a tombstone',
    () => chosen.getAttribute('data-state'),
    (state) => state === 'erased',
  )
  await visit.until(
    'the agent has nothing of it',
    () => heldCids(visit, KITCHEN),
    (cids) => !cids.includes(cid),
  )
}

async function revokes(visit: Visit) {
  await openAsOwner(visit)
  await chip(visit, TABLE, 'live')
  // One that is on the chain already: what was not even pinned leaves no tombstone.
  const listed = async () => {
    await visit.page.reload()
    await visit.get('recordings').waitFor()
    const held = await heldCids(visit, TABLE)
    const rows = await visit.page
      .locator('[data-cid]')
      .evaluateAll((all) => all.map((row) => row.getAttribute('data-cid') ?? ''))
    return rows.filter((cid) => held.includes(cid))
  }
  const recorded = await visit.until(
    'recordings of the table',
    listed,
    (cids) => cids.length > 0,
    ANCHORED_WAIT_MS,
  )
  const consents = await (
    await visit.page.request.get(
      `${settings.gateway}/api/v1/outlets/${OUTLET}/consents?camera=${TABLE}`,
    )
  ).json()
  // The player may be about to ask for what is gone now.
  visit.failedRequestsAreExpected = true
  for (const { id } of consents as { id: string }[]) await revoke(id)
  await chip(visit, TABLE, 'waiting')
  await visit.until(
    'the agent has nothing of the table',
    () => heldCids(visit, TABLE),
    (cids) => cids.length === 0,
    ANCHORED_WAIT_MS,
  )
  const last = visit.page.locator(`[data-cid="${recorded[0]}"]`)
  await visit.until(
    'a tombstone',
    async () => {
      await visit.page.reload()
      await visit.get('recordings').waitFor()
      return last.getAttribute('data-state')
    },
    (state) => state === 'erased',
    ANCHORED_WAIT_MS,
  )
  await visit.screenshot('live-revoked')
}

async function chip(visit: Visit, camera: number, words: string) {
  const line = visit.page.locator(`[data-camera="${camera}"]`)
  await visit.until(
    `camera ${camera} is ${words}`,
    () => line.innerText(),
    (text) => text.includes(words),
  )
}

/** What the agent itself says that it holds, whole or on its way out. */
async function heldCids(visit: Visit, camera: number): Promise<string[]> {
  const page = await (
    await visit.page.request.get(
      `${network.video_agent?.http}/api/v1/recordings?camera=${camera}&limit=500`,
    )
  ).json()
  return (page.data as { cid: string }[]).map(({ cid }) => cid)
}

/** With the command that guests have. */
async function revoke(consent: string) {
  const file = join(mkdtempSync(join(tmpdir(), 'hotpot-revoke-')), 'revoke.json')
  writeFileSync(file, JSON.stringify({ type: 'revoke_consent', consent }))
  const node = network.nodes[0]?.http ?? ''
  await promisify(execFile)(settings.hotpot, [
    'wallet',
    'sign',
    '--send',
    '--node',
    node,
    '--key',
    `${settings.dataDir}/keys/guest-0.json`,
    file,
  ])
}
