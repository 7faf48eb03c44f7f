import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
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
