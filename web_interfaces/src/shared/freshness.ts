/** How old the shown figures are, and whether the books agree. Pure. */
import type { ArrowName, ArrowOverview, AsOf, NetworkOverview, Supply } from 'hotpot-client'

/** Older figures are called stale. */
export const STALE_AFTER_MS = 15_000
/** A mirror this many blocks behind still counts as in step: a busy sidechain makes five a second. */
const IN_STEP_BLOCKS = 10

/** The newest moment of either chain that the mirror holds; the answer's own when it holds nothing. */
export function mirroredMs(asOf: AsOf): number {
  const answered = Date.parse(asOf.at)
  const known = [asOf.block_time, asOf.evm_block_time].flatMap((time) =>
    time === null ? [] : Date.parse(time),
  )
  return known.length === 0 ? answered : Math.min(answered, Math.max(...known))
}

/**
 * Age of figures: how far the mirror lagged when it answered, and the time since.
 * Only the gateway's clock is compared with itself and ours with ours.
 */
export function ageMs(asOf: AsOf, answeredAtMs: number, nowMs: number): number {
  return Math.max(0, Date.parse(asOf.at) - mirroredMs(asOf)) + Math.max(0, nowMs - answeredAtMs)
}

/** Blocks that the mirror lacks, of the chain where it lacks more. 0 is in step; null when no node answers. */
export function blocksBehind(network: NetworkOverview): number | null {
  if (network.sidechain === null) return null
  const sidechain = network.sidechain.height - network.as_of.height
  const evm = network.evm.block - network.as_of.evm_block
  const behind = Math.max(sidechain, evm)
  return behind > IN_STEP_BLOCKS ? behind : 0
}

/** Age of what came along an arrow, by the gateway's clock when it answered and by ours since; null when it never came. */
export function arrowAgeMs(
  arrow: ArrowOverview,
  answeredAtMs: number,
  nowMs: number,
): number | null {
  if (arrow.age_s === null) return null
  return arrow.age_s * 1_000 + Math.max(0, nowMs - answeredAtMs)
}

/** The arrows along which less comes than should. */
export function arrowsBehind(network: NetworkOverview): ArrowName[] {
  return network.arrows.flatMap(({ arrow, state }) => (state === 'in_step' ? [] : [arrow]))
}

/** Units that were issued and are nowhere, or are somewhere and were never issued. Must be 0. */
export function difference(supply: Supply): number {
  const there =
    supply.released +
    supply.pending +
    supply.unclaimed +
    supply.pool +
    supply.bonded +
    supply.slashed -
    supply.debt
  return supply.issued - supply.reversed - there
}
