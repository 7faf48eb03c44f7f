import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explorerLink } from '../src/index/explorer.ts'

test('a transaction is linked to where the operator says, if that is the web', () => {
  assert.equal(explorerLink('https://scan.example/tx/{tx}', '0xab'), 'https://scan.example/tx/0xab')
  assert.equal(explorerLink('http://127.0.0.1/{tx}?x', '0xab'), 'http://127.0.0.1/0xab?x')
  for (const explorer of [null, '', 'javascript:alert(1)//https://{tx}', 'data:text/html,{tx}'])
    assert.equal(explorerLink(explorer, '0xab'), null, String(explorer))
})
