/** The state machine of a sale, as a page shows it. Pure. */
import {
  parseTime,
  type SaleDetail,
  STAGES,
  type Stage,
  type StageName,
  stageOf,
} from 'hotpot-client'

export interface Step {
  stage: Stage
  /** When it was done; null when it is not, or nobody saw the moment. */
  atMs: number | null
  /** Since the last earlier stage whose moment is known. */
  sinceMs: number | null
  /** The stage that the sale stands at: the first that is not done, or the last. */
  current: boolean
  /** It was done, and a reorganisation of the EVM took that away. */
  steppedBack: boolean
}

/** The six steps with their durations. Clocks differ, so a duration is never below zero. */
export function stepsOf(sale: SaleDetail, steppedBack: ReadonlySet<StageName>): Step[] {
  const stages = STAGES.map((name) => stageOf(sale, name))
  const waiting = stages.findIndex((stage) => stage.state === 'waiting')
  const current = waiting === -1 ? stages.length - 1 : waiting
  let before: number | null = null
  return stages.map((stage, index) => {
    const atMs = parseTime(stage.at)
    const sinceMs = atMs === null || before === null ? null : Math.max(0, atMs - before)
    before = atMs === null ? before : Math.max(before ?? atMs, atMs)
    return {
      stage,
      atMs,
      sinceMs,
      current: index === current,
      steppedBack: steppedBack.has(stage.stage),
    }
  })
}

/** How long the current step has been waited for; null when nothing is, or nobody saw the step before it. */
export function waitingMs(steps: readonly Step[], nowMs: number): number | null {
  const index = steps.findIndex((step) => step.stage.state === 'waiting')
  if (index === -1) return null
  const known = steps.slice(0, index).flatMap((step) => step.atMs ?? [])
  return known.length === 0 ? null : Math.max(0, nowMs - Math.max(...known))
}

/** The stages that were done and are not any more: kept until they are done again. */
export function steppedBackAfter(
  known: ReadonlySet<StageName>,
  before: SaleDetail | null,
  after: SaleDetail,
): Set<StageName> {
  const lost = after.stages.filter(
    (stage) =>
      stage.state === 'waiting' && (known.has(stage.stage) || wasDone(before, stage.stage)),
  )
  return new Set(lost.map((stage) => stage.stage))
}

function wasDone(sale: SaleDetail | null, name: StageName): boolean {
  return sale?.stages.some((stage) => stage.stage === name && stage.state === 'done') ?? false
}
