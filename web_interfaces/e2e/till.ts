import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { settings } from './settings.ts'

const run = promisify(execFile)
const SALE_WAIT_MS = 60_000

export interface Sold {
  outlet: number
  sale_id: string
  status: number
}

/** Sells through the gateway as a stranger would: with the example till, to a wallet that nobody used before. */
export async function sell(line = 'khinkali:2:849'): Promise<Sold> {
  const buyer = `0x${randomBytes(20).toString('hex')}`
  const { stdout } = await run('npm', ['start', '--silent', '--', line], {
    cwd: settings.till,
    timeout: SALE_WAIT_MS,
    env: {
      ...process.env,
      POS_KEY_FILE: settings.terminalKey,
      POS_URL: settings.gateway,
      POS_OUTLET: '1',
      POS_BUYER: buyer,
    },
  }).catch((error: { stdout?: string; stderr?: string; message: string }) => {
    throw new Error(`the till could not sell: ${error.stdout || error.stderr || error.message}`)
  })
  return JSON.parse(stdout) as Sold
}

/** Witnesses a guest's consent for a camera of outlet 1, as staff would at the till; answers with what the till prints. */
export async function witness(guest: string, camera: number): Promise<string> {
  const saltFile = join(mkdtempSync(join(tmpdir(), 'hotpot-salt-')), 'salt.json')
  const node = JSON.parse(readFileSync(`${settings.dataDir}/network.json`, 'utf8')).nodes[0]
    .http as string
  const consent = [
    'wallet',
    'consent',
    '--witness',
    settings.terminalKey,
    '--guest-address',
    guest,
    '--outlet',
    '1',
    '--camera',
    String(camera),
    '--purpose',
    'recording',
  ]
  const { stdout } = await run(settings.hotpot, [
    ...consent,
    '--for-minutes',
    '30',
    '--reference',
    `camera ${camera}`,
    '--salt-file',
    saltFile,
    '--node',
    node,
  ])
  return stdout.trim()
}
