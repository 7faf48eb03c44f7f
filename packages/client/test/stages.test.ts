import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  furthestStage,
  isComplete,
  type SaleDetail,
  STAGES,
  type StageState,
  stageOf,
} from '../src/index.ts'

function saleOf(states: readonly StageState[]): SaleDetail {
  const stages = states.map((state, index) => ({ stage: STAGES[index], state, at: null }))
  return { stages } as unknown as SaleDetail
}

/** Every way in which six stages can stand. */
function* allStates(length: number = STAGES.length): Generator<StageState[]> {
  if (length === 0) return yield []
  for (const before of allStates(length - 1))
    for (const state of ['done', 'waiting', 'not_needed'] as const) yield [...before, state]
}

test('a sale is as far as its last stage before the first that waits', () => {
  for (const states of allStates()) {
    const before =
      states.indexOf('waiting') === -1 ? states : states.slice(0, states.indexOf('waiting'))
    const expected = STAGES[Math.max(0, before.length - 1)]
    assert.equal(furthestStage(saleOf(states)), expected, states.join())
  }
})

test('a sale is complete when nothing waits', () => {
  for (const states of allStates())
    assert.equal(isComplete(saleOf(states)), !states.includes('waiting'), states.join())
})

test('stages are found in whatever order they come, and one that the answer lacks waits', () => {
  const sale = saleOf(['done', 'done', 'done', 'done', 'not_needed'])
  sale.stages.reverse()
  assert.equal(stageOf(sale, 'received').state, 'done')
  assert.equal(stageOf(sale, 'minted').state, 'not_needed')
  assert.deepEqual(stageOf(sale, 'indexed'), { stage: 'indexed', state: 'waiting', at: null })
  assert.equal(furthestStage(sale), 'minted')
  assert.equal(isComplete(sale), false)
  assert.equal(furthestStage(saleOf([])), 'received')
})
