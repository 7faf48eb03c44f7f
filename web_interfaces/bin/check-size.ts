/**
 * Fails the build when a page needs more than its budget on first load: itself and every file it names, gzipped.
 * What a script imports only when it is needed has a budget of its own.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const FIRST_BUDGET_BYTES = 120_000
const LATER_BUDGET_BYTES = 60_000
const dist = new URL('../dist/', import.meta.url)
const assets = readdirSync(new URL('assets/', dist))

/** Scripts, styles and pictures that a text names, and what those name in turn; scripts count if `counts` says so. */
function filesOf(
  name: string,
  found: Set<string>,
  counts: (text: string, script: string) => boolean,
): Set<string> {
  if (found.has(name)) return found
  found.add(name)
  if (!/\.(html|js|css)$/.test(name)) return found
  const text = readFileSync(new URL(name, dist), 'utf8')
  for (const asset of assets) {
    const ofScript = name.endsWith('.js') && asset.endsWith('.js')
    if (ofScript ? counts(text, asset) : text.includes(asset))
      filesOf(`assets/${asset}`, found, counts)
  }
  return found
}

/** `import … from "./x.js"` and `import "./x.js"`, not `import("./x.js")`. */
function importsAtOnce(text: string, script: string): boolean {
  return new RegExp(`(from|import)\\s*["'\`]\\./${script.replaceAll('.', '\\.')}["'\`]`).test(text)
}

function gzippedBytes(files: string[]): number {
  return files.reduce(
    (sum, name) => sum + gzipSync(readFileSync(new URL(name, dist)), { level: 9 }).length,
    0,
  )
}

let tooBig = false
for (const page of readdirSync(dist).filter((name) => name.endsWith('.html'))) {
  const first = [...filesOf(page, new Set(), importsAtOnce)]
  const later = [...filesOf(page, new Set(), (text, script) => text.includes(script))].filter(
    (name) => !first.includes(name),
  )
  const [firstBytes, laterBytes] = [gzippedBytes(first), gzippedBytes(later)]
  const more =
    later.length > 0
      ? `; later ${laterBytes} of ${LATER_BUDGET_BYTES}, in ${later.length} files`
      : ''
  console.log(
    `${page}: ${firstBytes} of ${FIRST_BUDGET_BYTES} bytes gzipped, in ${first.length} files${more}`,
  )
  tooBig ||= firstBytes > FIRST_BUDGET_BYTES || laterBytes > LATER_BUDGET_BYTES
}
if (tooBig) {
  console.error('a page is over its budget: load less at first, or split it')
  process.exit(1)
}
