/** The state machine of a sale, as a page shows it. Pure. */
import { type Sale, STAGES, type Stage, type StageName } from './api.ts'

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
export function stepsOf(sale: Sale, steppedBack: ReadonlySet<StageName>): Step[] {
  const stages = STAGES.map((name) => stageOf(sale, name))
  const waiting = stages.findIndex((stage) => stage.state === 'waiting')
  const current = waiting === -1 ? stages.length - 1 : waiting
  let before: number | null = null
  return stages.map((stage, index) => {
    const atMs = momentMs(stage.at)
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

function stageOf(sale: Sale, name: StageName): Stage {
  return (
    sale.stages.find((stage) => stage.stage === name) ??
    ({ stage: name, state: 'waiting', at: null } as Stage)
  )
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
  before: Sale | null,
  after: Sale,
): Set<StageName> {
  const lost = after.stages.filter(
    (stage) =>
      stage.state === 'waiting' && (known.has(stage.stage) || wasDone(before, stage.stage)),
  )
  return new Set(lost.map((stage) => stage.stage))
}

function wasDone(sale: Sale | null, name: StageName): boolean {
  return sale?.stages.some((stage) => stage.stage === name && stage.state === 'done') ?? false
}

/** Whether nothing more will come. */
export function complete(sale: Sale): boolean {
  return STAGES.every((name) => stageOf(sale, name).state !== 'waiting')
}

function momentMs(at: string | null): number | null {
  const ms = at === null ? Number.NaN : Date.parse(at)
  return Number.isNaN(ms) ? null : ms
}
