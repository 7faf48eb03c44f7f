/** The state machine of a sale: six stages in order, of which those on the EVM may step back. Pure. */
import type { SaleDetail, Stage, StageName } from './schema.ts'

export const STAGES = [
  'received',
  'in_block',
  'final',
  'anchored',
  'minted',
  'indexed',
] as const satisfies readonly StageName[]

/** One stage of a sale; what an older gateway does not say yet waits. */
export function stageOf(sale: SaleDetail, name: StageName): Stage {
  const waiting = { stage: name, state: 'waiting', at: null } as Stage
  return sale.stages.find((stage) => stage.stage === name) ?? waiting
}

/** The last stage that is behind the sale with all before it. */
export function furthestStage(sale: SaleDetail): StageName {
  const waiting = STAGES.findIndex((name) => stageOf(sale, name).state === 'waiting')
  if (waiting === -1) return 'indexed'
  return STAGES[waiting - 1] ?? 'received'
}

/** Whether nothing more will come. */
export function isComplete(sale: SaleDetail): boolean {
  return STAGES.every((name) => stageOf(sale, name).state !== 'waiting')
}
