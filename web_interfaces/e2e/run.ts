/** Runs every scenario in a browser against a running network. See README.md for what it needs. */
import { mkdirSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { liveScenarios } from './live.ts'
import { scenarios } from './scenarios.ts'
import { network, settings } from './settings.ts'
import { Visit } from './visit.ts'

const only = process.argv[2] ?? ''
// A network with cameras is for what needs them: the agent takes the time that the others are measured by.
const all = network.video_agent ? liveScenarios : scenarios
const chosen = all.filter(({ name }) => name.includes(only))
if (chosen.length === 0) {
  console.error(
    `no scenario has ${only} in its name; there are:\n${all.map(({ name }) => name).join('\n')}`,
  )
  process.exit(2)
}
mkdirSync(settings.screenshots, { recursive: true })
const browser = await chromium.launch({
  executablePath: settings.chromium,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
})
let failed = 0
for (const scenario of chosen) {
  const startedAt = Date.now()
  const visit = await Visit.start(browser)
  try {
    await scenario.run(visit)
    visit.refuseComplaints()
    console.log(`ok      ${scenario.name} (${seconds(startedAt)} s)`)
  } catch (error) {
    failed += 1
    const picture = await visit
      .screenshot(`failed-${scenario.name.replaceAll(/\W+/g, '-')}`)
      .catch(() => 'no picture')
    console.log(
      `FAILED  ${scenario.name} (${seconds(startedAt)} s)\n${indented(error)}\n        picture: ${picture}`,
    )
  } finally {
    await visit.end()
  }
}
await browser.close()
console.log(
  failed === 0
    ? `${chosen.length} scenarios hold`
    : `${failed} of ${chosen.length} scenarios failed`,
)
process.exitCode = failed === 0 ? 0 : 1

function seconds(since: number): string {
  return ((Date.now() - since) / 1000).toFixed(1)
}

function indented(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text
    .split('\n')
    .slice(0, 30)
    .map((line) => `        ${line}`)
    .join('\n')
}
