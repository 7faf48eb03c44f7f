import assert from 'node:assert/strict'
import type { Locator, Route } from 'playwright-core'
import { Line } from './line.ts'
import { sell } from './till.ts'
import { videoScenarios } from './video.ts'
import { type Visit, WIDTHS } from './visit.ts'

interface Scenario {
  name: string
  run(visit: Visit): Promise<void>
}

const ALL_STAGES_WAIT_MS = 90_000
const STAGES = ['received', 'in_block', 'final', 'anchored', 'minted', 'indexed']
const CSP = [
  "default-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
]
const UNKNOWN_ID = 'f'.repeat(32)

export const scenarios: Scenario[] = [
  { name: 'the page opens under a strict CSP without a complaint', run: opens },
  { name: 'a sale appears in the feed and walks through all six stages', run: saleWalks },
  { name: 'no overflow and no axe violation, at each width and in both themes', run: fits },
  { name: 'three languages', run: languages },
  { name: 'the API is described at /docs, under the same CSP', run: described },
  { name: 'the keyboard alone reaches a sale, and the search finds it', run: keyboard },
  { name: 'an unknown sale says so and keeps asking', run: unknownSale },
  { name: 'older sales come page by page, and the feed can be held still', run: paging },
  { name: 'an empty list says what will come', run: empty },
  { name: 'an error shows the request id and can be tried again', run: error },
  { name: 'a mirror that stands still is called stale', run: stale },
  {
    name: 'the gateway stops: the page says so, keeps its figures and recovers',
    run: gatewayStops,
  },
  { name: 'without the stream of events the page asks by itself', run: noEvents },
  { name: 'a reorganisation steps back visibly', run: stepsBack },
  ...videoScenarios,
]

async function opens(visit: Visit) {
  const answer = await visit.openReady()
  const policy = answer?.headers()['content-security-policy'] ?? ''
  for (const directive of CSP)
    assert.ok(policy.includes(directive), `the CSP lacks ${directive}: ${policy}`)
  await visit.untilAge('fresh')
  assert.match(await visit.textOf('age'), /^Figures as of .*\d\d:\d\d(:\d\d)?, block [\d,]+/)
  await visit.until(
    'the mirror is in step',
    () => visit.textOf('network'),
    (text) => /^Sidechain [\d,]+ EVM [\d,]+ in step$/.test(text),
  )
  assert.equal(await visit.textOf('difference'), '0.00')
  assert.equal(await visit.textOf('disagreements'), '0')
  await visit.screenshot('overview-1280')
}

/** Swagger UI runs: a style or a script that the CSP forbids would be a complaint. */
async function described(visit: Visit) {
  await visit.open('/docs')
  const operation = visit.page.locator('.opblock').first()
  await operation.waitFor()
  await operation.locator('button').first().click()
  await operation.locator('.opblock-body').waitFor()
  assert.ok((await visit.page.locator('.opblock').count()) > 30, 'every route is listed')
}

async function saleWalks(visit: Visit) {
  await visit.openReady()
  const sales = await visit.textOf('total-sales')
  const sold = await sell()
  assert.equal(sold.status, 201, 'a new sale is answered 201')
  await saleRow(visit, sold).click()
  await visit.get('steps').waitFor()
  await visit.screenshot('sale-waiting-1280')
  await visit.until(
    'the total of sales grew',
    () => visit.textOf('total-sales'),
    (now) => now !== sales,
  )
  await visit.until(
    'all six stages are done',
    () => stageStates(visit),
    (states) => states.every((state) => state.endsWith(' done')),
    ALL_STAGES_WAIT_MS,
  )
  const shares = await visit.page
    .locator('[data-testid=shares] tbody tr')
    .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-share')))
  assert.deepEqual(shares, ['minted', 'minted'], 'the owner’s and the wallet’s share are minted')
  assert.equal(await visit.textOf('difference'), '0.00')
  await evidenceAnswers(visit)
  await pictures(visit, 'sale')
  await visit.page.reload()
  await visit.until(
    'a deep link shows the same',
    () => stageStates(visit),
    (states) => states.length === 6 && states.every((state) => state.endsWith(' done')),
  )
}

/** Every link of the timeline answers with JSON. */
async function evidenceAnswers(visit: Visit) {
  const links = await visit.page
    .locator('.timeline .step a, .proof a')
    .evaluateAll((all) => all.map((one) => (one as HTMLAnchorElement).href))
  const paths = links.filter((link) => new URL(link).pathname.startsWith('/api/'))
  assert.ok(
    paths.length >= 5,
    `transaction, block, certificate, checkpoint and proof are linked: ${paths.join(' ')}`,
  )
  for (const path of new Set(paths)) {
    const answer = await visit.page.request.get(path)
    assert.equal(
      answer.status(),
      200,
      `${path} answered ${answer.status()}: ${(await answer.text()).slice(0, 300)}`,
    )
    await answer.json()
  }
}

async function fits(visit: Visit) {
  await visit.openReady()
  await firstRow(visit).click()
  await visit.get('steps').waitFor()
  for (const theme of ['light', 'dark'] as const) {
    await visit.theme(theme)
    for (const width of WIDTHS) {
      await visit.width(width)
      await visit.refuseOverflow(`${theme}, ${width}`)
      await visit.refuseAxeViolations(`${theme}, ${width}`)
    }
  }
}

async function languages(visit: Visit) {
  await visit.openReady()
  await firstRow(visit).click()
  await visit.get('steps').waitFor()
  for (const [tag, lang, word] of [
    ['ქარ', 'ka', 'მონაცემები'],
    ['RU', 'ru', 'Данные'],
    ['EN', 'en', 'Figures'],
  ] as const) {
    await visit.page.getByRole('button', { name: new RegExp(`^${tag},`) }).click()
    assert.equal(await visit.page.locator('html').getAttribute('lang'), lang)
    await visit.until(
      `the age line speaks ${lang}`,
      () => visit.textOf('age'),
      (text) => text.includes(word),
    )
    for (const width of WIDTHS) {
      await visit.width(width)
      await visit.refuseOverflow(`${lang}, ${width}`)
    }
    await visit.refuseAxeViolations(lang)
    await pictures(visit, lang)
  }
  await visit.page.getByRole('button', { name: /^RU,/ }).click()
  await visit.page.reload()
  await visit.until(
    'the language is remembered',
    () => visit.page.locator('html').getAttribute('lang'),
    (lang) => lang === 'ru',
  )
}

async function keyboard(visit: Visit) {
  await visit.openReady()
  const target = await firstRow(visit).getAttribute('data-sale')
  await tabTo(visit, '[data-sale]')
  await visit.page.keyboard.press('Enter')
  await visit.get('steps').waitFor()
  assert.equal(await focused(visit), 'timeline-title', 'opening a sale moves the focus to it')
  assert.ok(target !== null)

  await visit.openReady('/#/')
  await tabTo(visit, '#outlet')
  await visit.page.keyboard.type('1x')
  await visit.page.keyboard.press('Enter')
  assert.equal(await visit.page.locator('#sale-id').getAttribute('aria-invalid'), 'true')
  const [outlet = '', id = ''] = target.split('/')
  await visit.page.locator('#outlet').fill(outlet)
  await visit.page.keyboard.press('Tab')
  await visit.page.keyboard.type(` ${id.toUpperCase()} `)
  await visit.page.keyboard.press('Enter')
  await visit.get('steps').waitFor()
  assert.ok(visit.page.url().endsWith(`#/sale/${target}`), visit.page.url())
}

async function tabTo(visit: Visit, selector: string) {
  for (let presses = 0; presses < 80; presses++) {
    await visit.page.keyboard.press('Tab')
    if (await visit.page.evaluate((wanted) => document.activeElement?.matches(wanted), selector))
      return
  }
  throw new Error(`80 presses of Tab did not reach ${selector}`)
}

function focused(visit: Visit): Promise<string> {
  return visit.page.evaluate(() => document.activeElement?.id ?? '')
}

async function unknownSale(visit: Visit) {
  visit.failedRequestsAreExpected = true
  await visit.openReady(`/#/sale/1/${UNKNOWN_ID}`)
  await visit.get('unknown-sale').waitFor()
  const again = visit.page.waitForResponse((answer) => answer.url().endsWith(UNKNOWN_ID))
  assert.equal((await again).status(), 404)
  await visit.refuseAxeViolations('unknown sale')
  await visit.width(390)
  await visit.refuseOverflow('unknown sale')
  await visit.screenshot('unknown-390')
}

async function paging(visit: Visit) {
  await visit.openReady()
  const rows = visit.page.locator('[data-sale]')
  const listed = await rows.count()
  const older = visit.page.getByRole('button', { name: 'Older sales' })
  assert.ok(
    await older.isVisible(),
    `the network needs more than 20 sales to page through; it lists ${listed}`,
  )
  await older.click()
  await visit.until(
    'a second page below',
    () => rows.count(),
    (count) => count > listed,
  )
  const keys = await rows.evaluateAll((all) => all.map((one) => one.getAttribute('data-sale')))
  assert.equal(new Set(keys).size, keys.length, 'no sale is listed twice')

  await visit.page.getByRole('button', { name: 'Pause' }).click()
  const sold = await sell('tea:1:300')
  const show = visit.page.getByRole('button', { name: /^Show new: / })
  await show.waitFor()
  assert.equal(await saleRow(visit, sold).count(), 0, 'a held feed does not move')
  await show.click()
  await saleRow(visit, sold).waitFor()
}

async function empty(visit: Visit) {
  await visit.page.route('**/api/v1/sales?*', async (route) => {
    const page = await answerOf(route)
    await route.fulfill({ json: { ...page, data: [], next_cursor: null, has_more: false } })
  })
  await visit.open()
  await visit.get('feed-empty').waitFor()
  await visit.refuseAxeViolations('empty')
  await visit.width(390)
  await visit.refuseOverflow('empty')
  await visit.screenshot('empty-390')
}

async function error(visit: Visit) {
  visit.failedRequestsAreExpected = true
  const problem = {
    type: 'urn:hotpot:problem:internal',
    title: 'internal',
    status: 500,
    detail: 'the store cannot be read',
    request_id: 'e2e-1',
  }
  await visit.page.route('**/api/v1/supply', (route) =>
    route.fulfill({
      status: 500,
      contentType: 'application/problem+json',
      body: JSON.stringify(problem),
    }),
  )
  await visit.open()
  const alert = visit.page.locator('.totals [role=alert]')
  await alert.waitFor()
  assert.match(await alert.innerText(), /the store cannot be read[\s\S]*e2e-1/)
  await visit.refuseAxeViolations('error')
  await visit.screenshot('error-1280')
  await visit.unroute()
  await alert.getByRole('button').click()
  await visit.get('total-sales').waitFor()
}

async function stale(visit: Visit) {
  await visit.page.route('**/api/v1/supply', async (route) => {
    const supply = await answerOf(route)
    const old = '2026-01-01T00:00:00Z'
    await route.fulfill({
      json: {
        ...supply,
        as_of: { ...(supply.as_of as object), block_time: old, evm_block_time: old },
      },
    })
  })
  await visit.openReady()
  await visit.untilAge('stale')
  assert.match(await visit.textOf('age'), /^Stale\./)
  await visit.refuseAxeViolations('stale')
}

async function gatewayStops(visit: Visit) {
  visit.failedRequestsAreExpected = true
  const line = await Line.start()
  try {
    await visit.openReady('/', line.origin)
    await visit.untilAge('fresh')
    const sales = await visit.textOf('total-sales')
    line.cut()
    await visit.untilAge('offline', 30_000)
    assert.equal(await visit.textOf('total-sales'), sales, 'the last figures stay')
    await visit.refuseAxeViolations('offline')
    await visit.width(390)
    await visit.refuseOverflow('offline')
    await visit.screenshot('offline-390')
    const sold = await sell('lobio:1:1120')
    line.mend()
    await visit.untilAge('fresh', 30_000)
    await saleRow(visit, sold).waitFor()
  } finally {
    line.end()
  }
}

async function noEvents(visit: Visit) {
  visit.failedRequestsAreExpected = true
  await visit.page.route('**/api/v1/events*', (route) => route.abort())
  await visit.openReady()
  await visit.until(
    'the age line says that events are interrupted',
    () => visit.textOf('age'),
    (text) => text.includes('asks every 5 s'),
  )
  const sold = await sell('lobio:2:1120')
  await saleRow(visit, sold).waitFor()
}

async function stepsBack(visit: Visit) {
  await visit.openReady()
  const row = visit.page.locator('[data-sale]').last()
  const key = (await row.getAttribute('data-sale')) ?? ''
  const path = `**/api/v1/sales/${key}`
  await alterStages(visit, path, (stage) => ({ ...stage, state: 'done' }))
  await row.click()
  await visit.until(
    'all stages are done',
    () => stageStates(visit),
    (states) => states.every((state) => state.endsWith(' done')),
  )

  await visit.unroute()
  await alterStages(visit, path, (stage) =>
    EVM_STAGES.has(stage.stage)
      ? { stage: stage.stage, state: 'waiting', at: null }
      : { ...stage, state: 'done' },
  )
  await visit.get('stepped-back').waitFor()
  assert.deepEqual(await stageStates(visit), [
    'received done',
    'in_block done',
    'final done',
    'anchored waiting',
    'minted waiting',
    'indexed waiting',
  ])
  await visit.refuseAxeViolations('stepped back')
  await visit.screenshot('stepped-back-1280')

  await visit.unroute()
  await alterStages(visit, path, (stage) => ({ ...stage, state: 'done' }))
  await visit.get('stepped-back').waitFor({ state: 'detached' })
}

interface AnyStage {
  stage: string
  state: string
  at: string | null
}

const EVM_STAGES = new Set(['anchored', 'minted', 'indexed'])

/** Lets the gateway answer a sale with other stages: a reorganisation cannot be had at will. */
async function alterStages(visit: Visit, path: string, alter: (stage: AnyStage) => AnyStage) {
  await visit.page.route(path, async (route) => {
    const sale = await answerOf(route)
    await route.fulfill({ json: { ...sale, stages: (sale.stages as AnyStage[]).map(alter) } })
  })
}

async function answerOf(route: Route): Promise<Record<string, unknown>> {
  return (await route.fetch()).json()
}

function saleRow(visit: Visit, sale: { outlet: number; sale_id: string }): Locator {
  return visit.page.locator(`[data-sale="${sale.outlet}/${sale.sale_id}"]`)
}

function firstRow(visit: Visit): Locator {
  return visit.page.locator('[data-sale]').first()
}

async function stageStates(visit: Visit): Promise<string[]> {
  const states = await visit.page
    .locator('[data-stage]')
    .evaluateAll((all) =>
      all.map((one) => `${one.getAttribute('data-stage')} ${one.getAttribute('data-state')}`),
    )
  assert.deepEqual(
    states.map((state) => state.split(' ')[0]),
    states.length === 0 ? [] : STAGES,
  )
  return states
}

async function pictures(visit: Visit, name: string) {
  for (const width of [390, 1280]) {
    await visit.width(width)
    for (const theme of ['light', 'dark'] as const) {
      await visit.theme(theme)
      await visit.screenshot(`${name}-${width}-${theme}`)
    }
  }
  await visit.theme('light')
}
