/** A validator's offence in the ledger's canonical bytes (Borsh), which evidence signs. Pure, and without a library. */
import type { Checkpoint, Offence, SignedProposal, SignedSummary, SignedVote } from './schema.ts'

const KINDS = ['double_vote', 'double_proposal', 'double_checkpoint'] as const
/** From 1 on. */
const STEPS = ['prevote', 'precommit'] as const

/** `0x…`. */
export function offenceBytes(offence: Offence): string {
  return `0x${integer(KINDS.indexOf(offence.kind), 1)}${partsOf(offence).join('')}`
}

/** Digits, two a byte, without `0x`. */
function partsOf(offence: Offence): string[] {
  switch (offence.kind) {
    case 'double_vote': {
      const step = integer(STEPS.indexOf(offence.step) + 1, 1)
      const place = [step, integer(offence.height, 8), integer(offence.round, 8)]
      return [...place, voteBytes(offence.first), voteBytes(offence.second)]
    }
    case 'double_proposal': {
      const place = [integer(offence.height, 8), integer(offence.round, 8)]
      return [...place, proposalBytes(offence.first), proposalBytes(offence.second)]
    }
    case 'double_checkpoint': {
      const { anchor, first, second } = offence
      return [digits(anchor), summaryBytes(first), summaryBytes(second)]
    }
  }
}

function voteBytes({ block_hash, signature }: SignedVote): string {
  const isNil = block_hash === null || block_hash === undefined
  return (isNil ? integer(0, 1) : integer(1, 1) + digits(block_hash)) + digits(signature)
}

function proposalBytes({ pol_round, block_hash, signature }: SignedProposal): string {
  return integer(pol_round, 8) + digits(block_hash) + digits(signature)
}

function summaryBytes({ checkpoint, signature }: SignedSummary): string {
  return checkpointBytes(checkpoint) + digits(signature)
}

function checkpointBytes(checkpoint: Checkpoint): string {
  const parts = [
    digits(checkpoint.sidechain_id),
    integer(checkpoint.epoch, 8),
    integer(checkpoint.first_height, 8),
    integer(checkpoint.last_height, 8),
    digits(checkpoint.blocks_root),
    digits(checkpoint.state_root),
    digits(checkpoint.payout_root),
    digits(checkpoint.recordings_root),
    integer(checkpoint.total_released, 16),
    digits(checkpoint.next_validators_hash),
  ]
  return parts.join('')
}

function digits(bytes: string): string {
  return bytes.replace(/^0x/, '')
}

/** Little-endian, two's complement. */
function integer(value: number, size: number): string {
  const bits = BigInt.asUintN(size * 8, BigInt(value))
  const bytes =
    bits
      .toString(16)
      .padStart(size * 2, '0')
      .match(/../g) ?? []
  return bytes.reverse().join('')
}
