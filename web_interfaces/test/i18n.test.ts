import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import type {
  ArrowName,
  ArrowState,
  BuyerKind,
  CameraAlert,
  CameraAnswer,
  CameraKind,
  ConsentKind,
  EraseReason,
  NotIssued,
  Purpose,
  PushState,
  ShareKind,
  ShareState,
  StageName,
  StageState,
  SystemPart,
} from 'hotpot-client'
import { CATALOGUES, LANGUAGES, preferredLanguage, translator } from '../src/shared/i18n.ts'

const placeholders = (text: string) =>
  [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort()

for (const language of LANGUAGES) {
  test(`${language} has the keys and placeholders of en, and no empty word`, () => {
    assert.deepEqual(Object.keys(CATALOGUES[language]).sort(), Object.keys(CATALOGUES.en).sort())
    for (const [key, words] of Object.entries(CATALOGUES[language])) {
      assert.notEqual(words.trim(), '', key)
      assert.deepEqual(placeholders(words), placeholders(CATALOGUES.en[key] ?? ''), key)
    }
  })
}

test('every key written in the source is in the catalogue, and every key in the catalogue is used', () => {
  const sources = readdirSync(new URL('../src/', import.meta.url), {
    recursive: true,
    encoding: 'utf8',
  })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => readFileSync(new URL(`../src/${name}`, import.meta.url), 'utf8'))
    .join('\n')
  const written = [...sources.matchAll(/['"]([a-z_]+(?:\.[a-z_0-9]+)+)['"]/g)]
    .map((match) => match[1] ?? '')
    .filter((key) => !/^hotpot\.|\.(tsx?|json|css|svg)$/.test(key))
  for (const key of written) assert.ok(key in CATALOGUES.en, `${key} is not in the catalogue`)

  const families = [...sources.matchAll(/`([a-z_]+)\.\$\{/g)].map((match) => `${match[1]}.`)
  for (const key of Object.keys(CATALOGUES.en)) {
    const used =
      sources.includes(`'${key}'`) ||
      sources.includes(`"${key}"`) ||
      families.some((family) => key.startsWith(family))
    assert.ok(used, `${key} is used nowhere`)
  }
})

const ALERTS = allOf<CameraAlert>({
  down: true,
  covered: true,
  moved: true,
  frozen: true,
  detector_late: true,
})

/** The compiler says when the API has one more: then it is shown as it is called until it has words. */
const WORDS_OF_API = {
  alert: ALERTS,
  arrow: allOf<ArrowName>({
    nodes_to_gateway: true,
    sidechain_to_indexer: true,
    relayer_to_evm: true,
    evm_to_indexer: true,
    database_to_gateway: true,
  }),
  arrow_state: allOf<ArrowState>({ in_step: true, late: true, away: true }),
  part: allOf<SystemPart>({ postgresql: true, nodes: true, indexer: true, evm_node: true }),
  alert_do: ALERTS,
  agent_state: allOf<CameraAnswer['state']>({ live: true, waiting: true, down: true }),
  buyer: allOf<BuyerKind>({ none: true, wallet: true, receipt: true }),
  camera_kind: allOf<CameraKind>({ security: true, chef: true, customer: true }),
  consent_kind: allOf<ConsentKind>({ guest: true, security: true, chef: true }),
  not_issued: allOf<NotIssued>({
    below_minimum: true,
    outlet_quota: true,
    terminal_quota: true,
    owner_debt: true,
  }),
  purpose: allOf<Purpose>({ recording: true, stream: true }),
  push: allOf<Exclude<PushState, 'none'>>({ on: true, off: true }),
  reason: allOf<EraseReason>({ revoked: true, retention: true, request: true, other: true }),
  share: allOf<ShareKind>({ account: true, receipt: true, pool: true }),
  share_state: allOf<ShareState>({
    pending: true,
    released: true,
    minted: true,
    unclaimed: true,
    pool: true,
    reversed: true,
    paid_debt: true,
    bonded: true,
  }),
  stage: allOf<StageName>({
    received: true,
    in_block: true,
    final: true,
    anchored: true,
    minted: true,
    indexed: true,
  }),
  state: allOf<StageState>({ done: true, waiting: true, not_needed: true }),
}

function allOf<Word extends string>(words: Record<Word, true>): Record<Word, true> {
  return words
}

test('every word of the API that a page shows has words', () => {
  for (const [family, words] of Object.entries(WORDS_OF_API))
    for (const word of Object.keys(words))
      assert.ok(`${family}.${word}` in CATALOGUES.en, `${family}.${word}`)
})

test('words take their values, and say when one is missing', () => {
  const t = translator('en')
  assert.equal(t('feed.outlet', { outlet: 3 }), 'Outlet 3')
  assert.equal(t('feed.outlet'), 'Outlet {outlet}')
  assert.equal(t('no.such.key'), 'no.such.key')
})

test('Georgian has no capitals: no Mtavruli letters', () => {
  assert.doesNotMatch(Object.values(CATALOGUES.ka).join(''), /[\u1c90-\u1cbf]/)
})

test('the reader’s choice comes first, then the browser’s languages, then English', () => {
  assert.equal(preferredLanguage('ru', ['ka-GE']), 'ru')
  assert.equal(preferredLanguage(null, ['de-DE', 'ka-GE']), 'ka')
  assert.equal(preferredLanguage('xx', ['de-DE']), 'en')
})
