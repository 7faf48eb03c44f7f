/** What this page asks the gateway for, and what it tells the agent. */
import {
  type CameraAnswer,
  type PageAsOfConsentRow,
  type RecordingRow,
  unwrap,
} from 'hotpot-client'
import { client, type Load, type LoadPage } from '../shared/api.ts'
import { placeQuery } from './recordings.ts'
import type { Place } from './route.ts'

const CONSENTS_MAX = 100

/** All of an outlet that are in force: there are few of them, because they end by themselves. */
export function consentsOf(outlet: number): Load<PageAsOfConsentRow> {
  const query = { outlet, in_force: true, limit: CONSENTS_MAX }
  return (signal) => unwrap(client.GET('/api/v1/consents', { params: { query }, signal }), signal)
}

export function recordingsOf(place: Place): LoadPage<RecordingRow> {
  return (page, signal) => {
    const query = { ...placeQuery(place), ...page }
    return unwrap(client.GET('/api/v1/recordings', { params: { query }, signal }), signal)
  }
}

/** What the outlet's video agent says of its cameras now. */
export function camerasOfAgent(outlet: number): Load<CameraAnswer[]> {
  const params = { path: { outlet } }
  return (signal) =>
    unwrap(client.GET('/api/v1/outlets/{outlet}/cameras', { params, signal }), signal)
}

/** The kill switch of a camera's public stream. */
export function switchPush(outlet: number, camera: number, on: boolean): Promise<CameraAnswer> {
  const params = { path: { outlet, camera } }
  return unwrap(
    client.PUT('/api/v1/outlets/{outlet}/cameras/{camera}/push', { params, body: { on } }),
  )
}
