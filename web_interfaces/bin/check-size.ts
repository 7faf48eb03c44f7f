/** Fails the build when a page needs more than its budget on first load: itself and every file it names, gzipped. */
import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const BUDGET_BYTES = 120_000
const dist = new URL('../dist/', import.meta.url)

/** Scripts, styles and pictures that a text names, and what those name in turn. */
function filesOf(name: string, found: Set<string>): Set<string> {
  if (found.has(name)) return found
  found.add(name)
  if (!/\.(html|js|css)$/.test(name)) return found
  const text = readFileSync(new URL(name, dist), 'utf8')
  for (const asset of readdirSync(new URL('assets/', dist))) {
    if (text.includes(asset)) filesOf(`assets/${asset}`, found)
  }
  return found
}

function gzippedBytes(name: string): number {
  return gzipSync(readFileSync(new URL(name, dist)), { level: 9 }).length
}

let tooBig = false
for (const page of readdirSync(dist).filter((name) => name.endsWith('.html'))) {
  const files = [...filesOf(page, new Set())]
  const bytes = files.reduce((sum, file) => sum + gzippedBytes(file), 0)
  console.log(`${page}: ${bytes} of ${BUDGET_BYTES} bytes gzipped, in ${files.length} files`)
  tooBig ||= bytes > BUDGET_BYTES
}
if (tooBig) {
  console.error('a page is over its budget: load less at first, or split it')
  process.exit(1)
}
