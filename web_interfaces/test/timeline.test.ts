import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SaleDetail, StageName } from 'hotpot-client'
import { steppedBackAfter, stepsOf, waitingMs } from '../src/shared/timeline.ts'

const START = Date.parse('2026-11-21T10:00:00Z')
const at = (seconds: number) => new Date(START + seconds * 1000).toISOString()
const NONE: ReadonlySet<StageName> = new Set()

/** A sale whose stages are done at these seconds; `null` is done at an unseen moment, `-` is waiting. */
function sale(...moments: (number | null | '-')[]): SaleDetail {
  const names: StageName[] = ['received', 'in_block', 'final', 'anchored', 'minted', 'indexed']
  const stages = names.map((stage, index) => {
    const moment = moments[index] ?? (index < moments.length ? null : '-')
    return moment === '-'
      ? { stage, state: 'waiting', at: null }
      : { stage, state: 'done', at: moment === null ? null : at(moment) }
  })
  return { stages } as unknown as SaleDetail
}

test('each step knows the time since the step before it', () => {
  const steps = stepsOf(sale(0, 1, 1.5, 30, '-', '-'), NONE)
  assert.deepEqual(
    steps.map((step) => step.sinceMs),
    [null, 1000, 500, 28_500, null, null],
  )
  assert.deepEqual(
    steps.map((step) => step.current),
    [false, false, false, false, true, false],
  )
})

test('a moment that nobody saw is skipped, not counted as zero', () => {
  const steps = stepsOf(sale(null, 1, null, 30, 31, 45), NONE)
  assert.deepEqual(
    steps.map((step) => step.sinceMs),
    [null, null, null, 29_000, 1000, 14_000],
  )
})

test('clocks that disagree give no negative duration, and do not stretch the next one', () => {
  const steps = stepsOf(sale(5, 3, 6), NONE)
  assert.deepEqual(steps.map((step) => step.sinceMs).slice(0, 3), [null, 0, 1000])
})

test('the last step is the current one when nothing waits', () => {
  const steps = stepsOf(sale(0, 1, 2, 3, 4, 5), NONE)
  assert.equal(steps.at(-1)?.current, true)
  assert.equal(waitingMs(steps, START), null)
})

test('steps come in the protocol’s order, and one that the answer lacks is waiting', () => {
  const turned = sale(0, 1, 2, 3)
  turned.stages.reverse().shift()
  assert.deepEqual(
    stepsOf(turned, NONE).map((step) => `${step.stage.stage} ${step.stage.state}`),
    [
      'received done',
      'in_block done',
      'final done',
      'anchored done',
      'minted waiting',
      'indexed waiting',
    ],
  )
})

test('waiting counts from the last known moment', () => {
  assert.equal(waitingMs(stepsOf(sale(0, 1, null), NONE), START + 21_000), 20_000)
  assert.equal(waitingMs(stepsOf(sale(null), NONE), START), null)
  assert.equal(waitingMs(stepsOf(sale(10), NONE), START), 0)
})

test('a stage that was done and waits again has stepped back, until it is done again', () => {
  const anchored = sale(0, 1, 2, 30, 31)
  const reverted = sale(0, 1, 2)
  const back = steppedBackAfter(NONE, anchored, reverted)
  assert.deepEqual([...back], ['anchored', 'minted'])
  const half = steppedBackAfter(back, reverted, sale(0, 1, 2, 33))
  assert.deepEqual([...half], ['minted'])
  assert.equal(steppedBackAfter(half, null, sale(0, 1, 2, 33, 34)).size, 0)
  assert.equal(stepsOf(reverted, back)[3]?.steppedBack, true)
})

test('a first look at a waiting sale is no step back', () => {
  assert.equal(steppedBackAfter(NONE, null, sale(0)).size, 0)
})
