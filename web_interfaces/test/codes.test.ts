import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PayloadOf } from 'hotpot-client'
import { parseAnswer, parseTable, requestCode, tableOf } from '../src/consent/codes.ts'

const consent: PayloadOf<'record_consent'> = {
  type: 'record_consent',
  outlet: 1,
  camera: 7,
  purposes: ['recording'],
  commitment: `0x${'a4'.repeat(32)}`,
  guest: `0x${'b2'.repeat(20)}`,
  until_ms: 1_700_003_600_000,
  witness: `0x${'f4'.repeat(20)}`,
  witness_signature: `0x${'f8'.repeat(65)}`,
}
const code = `HOTPOT-WITNESS:1/${'F4'.repeat(20)}/${'F8'.repeat(65)}`
const signature = {
  kind: 'signature',
  witness: consent.witness,
  signature: consent.witness_signature,
}

test('a request names all that is to be witnessed, in letters that QR codes hold densely', () => {
  const request = requestCode(`0x${'b3'.repeat(32)}`, consent)
  assert.equal(
    request,
    `HOTPOT-CONSENT:1/${'B3'.repeat(32)}/1/7/1/${'A4'.repeat(32)}/${'B2'.repeat(20)}/1700003600000`,
  )
  assert.match(request, /^[0-9A-Z $%*+\-./:]+$/)
})

test('an answer is a code, in any case, a link with one, or the terminal’s JSON', () => {
  assert.deepEqual(parseAnswer(code), signature)
  assert.deepEqual(parseAnswer(` ${code.toLowerCase()}\n`), signature)
  assert.deepEqual(
    parseAnswer(`https://hotpot.example/consent.html?outlet=1&camera=7#${code}`),
    signature,
  )
  assert.deepEqual(parseAnswer(`#${encodeURIComponent(code)}`), signature)
  assert.deepEqual(parseAnswer(JSON.stringify(consent)), { kind: 'consent', consent })
})

test('what is no answer is none, whatever it holds', () => {
  const bad = (change: object) => JSON.stringify({ ...consent, ...change })
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '7',
    '%',
    code.slice(0, -1),
    `${code}0`,
    code.replace('1/', '2/'),
    bad({ type: 'revoke_consent' }),
    bad({ outlet: '1' }),
    bad({ outlet: -1 }),
    bad({ camera: 1.5 }),
    bad({ purposes: [] }),
    bad({ purposes: 'recording' }),
    bad({ purposes: ['recording', 'sale'] }),
    bad({ commitment: '0xa4' }),
    bad({ guest: null }),
    bad({ witness_signature: undefined }),
    bad({ until_ms: 1e300 }),
  ]) {
    assert.equal(parseAnswer(text), null, text)
  }
})

test('nothing that is not part of a consent is taken along', () => {
  const answer = parseAnswer(JSON.stringify({ ...consent, signature: '0x00', constructor: 1 }))
  assert.deepEqual(answer, { kind: 'consent', consent })
})

test('the code on the table names outlet and camera', () => {
  assert.deepEqual(parseTable('?outlet=1&camera=3'), { outlet: 1, camera: 3 })
  assert.deepEqual(tableOf(' 12 ', '0'), { outlet: 12, camera: 0 })
  for (const query of [
    '',
    '?outlet=1',
    '?outlet=x&camera=1',
    '?outlet=-1&camera=1',
    '?outlet=1&camera=1000000',
    '?outlet=1&camera=1e3',
  ]) {
    assert.equal(parseTable(query), null, query)
  }
})
