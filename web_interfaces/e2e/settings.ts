/** What the environment says, checked before anything starts. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

function needed(name: string, what: string): string {
  const value = process.env[name]
  if (value === undefined || value === '') {
    console.error(`${name} is not set: ${what}`)
    process.exit(2)
  }
  return value
}

function existing(path: string, what: string): string {
  if (existsSync(path)) return path
  console.error(`${path} is missing: ${what}`)
  process.exit(2)
}

const dataDir = needed('DATA_DIR', 'the data folder of a running hotpot up')
const client = fileURLToPath(new URL('../../packages/client/dist/keys.js', import.meta.url))
export const settings = {
  gateway: needed(
    'GATEWAY_URL',
    'the gateway of a running hotpot up, such as http://127.0.0.1:8080',
  ).replace(/\/$/, ''),
  dataDir,
  /** Witnesses consents. */
  hotpot: existing(
    process.env.HOTPOT ?? fileURLToPath(new URL('../../target/debug/hotpot', import.meta.url)),
    'cargo build --bin hotpot, or name it in HOTPOT',
  ),
  /** Outlet 1 sells. */
  terminalKey: existing(
    `${dataDir}/keys/terminal-1.json`,
    'start the network with --sales, so that it has outlets',
  ),
  chromium: existing(
    process.env.CHROMIUM ?? '/usr/bin/chromium',
    'apt-get install chromium fonts-noto-core',
  ),
  /** Sells, as a stranger would. */
  till: fileURLToPath(new URL('../../examples/pos-typescript/', import.meta.url)),
  screenshots: process.env.SCREENSHOTS ?? fileURLToPath(new URL('screenshots/', import.meta.url)),
}
existing(client, 'npm ci && npm run build -w packages/client in the repository')

/** What runs where. */
export const network: { nodes: { http: string }[]; video_agent?: { http: string } | null } =
  JSON.parse(readFileSync(existing(`${dataDir}/network.json`, 'start it with hotpot up'), 'utf8'))
