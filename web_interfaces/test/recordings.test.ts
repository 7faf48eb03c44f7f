import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CameraAnswer, ConsentRow, OutletAnswer, RecordingRow } from 'hotpot-client'
import {
  alertsOf,
  camerasOf,
  hasProof,
  lengthMs,
  mayManage,
  placeQuery,
  stateOf,
} from '../src/video_management_dashboard/recordings.ts'
import { parsePlace, placeRoute } from '../src/video_management_dashboard/route.ts'

const recording = (camera: number, change: Partial<RecordingRow> = {}): RecordingRow => ({
  cid: `bafk${camera}`,
  transaction_id: '0x01',
  outlet: 1,
  camera,
  consent: '0x02',
  manifest_hash: '0x03',
  sequence: 1,
  started_at: '2026-11-21T10:00:00Z',
  ended_at: '2026-11-21T10:00:04.500Z',
  agent: '0x04',
  height: 8,
  epoch: null,
  anchored: false,
  erased: null,
  ...change,
})
const consent = (camera: number, kind: ConsentRow['kind']) => ({ camera, kind }) as ConsentRow
const agent = (
  camera: number,
  change: Partial<Pick<CameraAnswer, 'kind' | 'alerts'>> = {},
): CameraAnswer => ({
  camera,
  kind: 'customer',
  mask_policy: 'solid',
  state: 'live',
  recording_until_ms: null,
  stream_until_ms: null,
  alerts: [],
  push: 'none',
  ...change,
})

test('a recording is pinned, then covered, then anchored, and erased whatever it was', () => {
  assert.equal(stateOf(recording(1)), 'pinned')
  assert.equal(stateOf(recording(1, { epoch: 3 })), 'in_checkpoint')
  assert.equal(stateOf(recording(1, { epoch: 3, anchored: true })), 'anchored')
  const erased = { height: 9, at: '2026-11-21T11:00:00Z', by: '0x05', reason: 'request' as const }
  assert.equal(stateOf(recording(1, { erased })), 'erased')
  assert.equal(stateOf(recording(1, { epoch: 3, anchored: true, erased })), 'erased')
  assert.equal(hasProof(recording(1)), false)
  assert.equal(hasProof(recording(1, { epoch: 0 })), true, 'epoch 0 is one')
})

test('its length is never negative', () => {
  assert.equal(lengthMs(recording(1)), 4_500)
  assert.equal(lengthMs(recording(1, { ended_at: '2026-11-21T09:00:00Z' })), 0)
})

test('cameras are those that anybody names, once each, by number', () => {
  const cameras = camerasOf(
    [consent(7, 'guest'), consent(7, 'guest'), consent(2, 'chef')],
    [recording(9), recording(7, { ended_at: 'newest' }), recording(7)],
    [agent(11, { kind: 'security' }), agent(2)],
  )
  assert.deepEqual(
    cameras.map((one) => [one.camera, one.kind, one.consents, one.lastAt]),
    [
      [2, 'customer', 1, null],
      [7, 'customer', 2, 'newest'],
      [9, null, 0, '2026-11-21T10:00:04.500Z'],
      [11, 'security', 0, null],
    ],
  )
  assert.equal(
    cameras[0]?.agent?.camera,
    2,
    'the agent’s word on what a camera looks at comes first',
  )
  assert.deepEqual(camerasOf([], [], []), [])
})

test('alerts name their cameras', () => {
  assert.deepEqual(alertsOf([agent(1), agent(2, { alerts: ['covered', 'frozen'] })]), [
    { camera: 2, alert: 'covered' },
    { camera: 2, alert: 'frozen' },
  ])
})

test('the owner and active video agents manage, a till or a revoked agent does not', () => {
  const terminal = (address: string, kind: 'physical' | 'video_agent', active: boolean) => ({
    address,
    kind,
    active,
  })
  const outlet = {
    owner: '0xAB',
    terminals: [
      terminal('0x01', 'physical', true),
      terminal('0x02', 'video_agent', true),
      terminal('0x03', 'video_agent', false),
    ],
  } as OutletAnswer
  assert.deepEqual(
    ['0xab', '0x02', '0x01', '0x03', '0x04'].map((account) => mayManage(outlet, account)),
    [true, true, false, false, false],
  )
})

test('lists are asked for one camera or all', () => {
  assert.deepEqual(placeQuery({ outlet: 1, camera: null }), { outlet: 1 })
  assert.deepEqual(placeQuery({ outlet: 1, camera: 0 }), { outlet: 1, camera: 0 })
})

test('an address names an outlet and perhaps a camera, and back', () => {
  for (const place of [
    { outlet: 1, camera: null },
    { outlet: 12, camera: 0 },
  ])
    assert.deepEqual(parsePlace(placeRoute(place)), place)
  for (const hash of [
    '',
    '#/',
    '#/outlet/',
    '#/outlet/x',
    '#/outlet/1/camera/',
    '#/outlet/1/camera/1234567',
    '#/outlet/1/camera/3/more',
    '#/sale/1/2',
  ]) {
    assert.equal(parsePlace(hash), null, hash)
  }
})
