/** What the page says of cameras and recordings, from what it was answered. Pure. */
import type {
  CameraAlert,
  CameraAnswer,
  CameraKind,
  ConsentKind,
  ConsentRow,
  OutletAnswer,
  RecordingRow,
} from 'hotpot-client'
import type { Place } from './route.ts'

export type RecordingState = 'pinned' | 'in_checkpoint' | 'anchored' | 'erased'

export function stateOf(row: Pick<RecordingRow, 'erased' | 'anchored' | 'epoch'>): RecordingState {
  if (row.erased) return 'erased'
  if (row.anchored) return 'anchored'
  return row.epoch === null ? 'pinned' : 'in_checkpoint'
}

/** There is a proof as soon as a signed checkpoint covers it. */
export function hasProof(row: Pick<RecordingRow, 'epoch'>): boolean {
  return row.epoch !== null
}

export function lengthMs(row: Pick<RecordingRow, 'started_at' | 'ended_at'>): number {
  return Math.max(0, Date.parse(row.ended_at) - Date.parse(row.started_at))
}

/** The cameras of a place, as lists are asked for them. */
export function placeQuery({ outlet, camera }: Place): { outlet: number; camera?: number } {
  return camera === null ? { outlet } : { outlet, camera }
}

const KIND_OF_CONSENT: Record<ConsentKind, CameraKind> = {
  guest: 'customer',
  chef: 'chef',
  security: 'security',
}

export interface CameraShown {
  camera: number
  /** Null while neither a consent nor the agent says. */
  kind: CameraKind | null
  consents: number
  /** When its newest listed recording ended. */
  lastAt: string | null
  agent: CameraAnswer | null
}

/** Every camera that a consent, a recording or the agent names, in order of their numbers. */
export function camerasOf(
  consents: readonly ConsentRow[],
  recordings: readonly RecordingRow[],
  agent: readonly CameraAnswer[],
): CameraShown[] {
  const numbers = new Set([...consents, ...recordings, ...agent].map((one) => one.camera))
  return [...numbers]
    .sort((a, b) => a - b)
    .map((camera) => cameraOf(camera, consents, recordings, agent))
}

function cameraOf(
  camera: number,
  consents: readonly ConsentRow[],
  recordings: readonly RecordingRow[],
  agents: readonly CameraAnswer[],
): CameraShown {
  const agent = agents.find((one) => one.camera === camera) ?? null
  const own = consents.filter((one) => one.camera === camera)
  const first = own[0]
  const last = recordings.find((one) => one.camera === camera)
  return {
    camera,
    kind: agent?.kind ?? (first ? KIND_OF_CONSENT[first.kind] : null),
    consents: own.length,
    lastAt: last?.ended_at ?? null,
    agent,
  }
}

/** Every complaint of the agent with its camera. */
export function alertsOf(agent: readonly CameraAnswer[]): { camera: number; alert: CameraAlert }[] {
  return agent.flatMap((one) => one.alerts.map((alert) => ({ camera: one.camera, alert })))
}

/** Who may erase an outlet's recordings and look at its cameras: its owner and its active video agents. */
export function mayManage(outlet: OutletAnswer, account: string): boolean {
  const agents = outlet.terminals
    .filter((one) => one.kind === 'video_agent' && one.active)
    .map((one) => one.address)
  return [outlet.owner, ...agents].some(
    (address) => address.toLowerCase() === account.toLowerCase(),
  )
}
