import AxeBuilder from '@axe-core/playwright'
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import { settings } from './settings.ts'

export const WIDTHS = [320, 390, 768, 1280] as const
const WAIT_MS = 20_000
const AXE_TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** A piece of the live picture is kept for seconds: a player that comes late goes on with a later one. */
const FRAGMENT = /\/preview\/[^/]+\.m4s$/

/** One browser window, and everything it complained about. */
export class Visit {
  readonly page: Page
  readonly #context: BrowserContext
  /** Errors of the console, exceptions, violations of the CSP, requests to strangers. */
  readonly #complaints: string[] = []
  /** Set where a scenario lets requests fail: the browser logs each. */
  failedRequestsAreExpected = false

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context
    this.page = page
  }

  static async start(browser: Browser): Promise<Visit> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 900 },
      locale: 'en-GB',
      reducedMotion: 'reduce',
    })
    context.setDefaultTimeout(WAIT_MS)
    const visit = new Visit(context, await context.newPage())
    visit.#listen()
    return visit
  }

  #listen() {
    this.page.on('console', (message) => {
      const { url } = message.location()
      if (message.type() !== 'error' || FRAGMENT.test(url)) return
      this.#complaints.push(`console: ${message.text()} (${url})`)
    })
    this.page.on('pageerror', (error) => this.#complaints.push(`exception: ${error.message}`))
    this.page.on('request', (request) => {
      if (
        !/^(http:\/\/(127\.0\.0\.1|localhost)|data:|blob:)/.test(request.url()) &&
        !request.url().startsWith(settings.gateway)
      ) {
        this.#complaints.push(`request to a stranger: ${request.url()}`)
      }
    })
  }

  refuseComplaints() {
    const complaints = this.#complaints.filter(
      (text) => !(this.failedRequestsAreExpected && text.includes('Failed to load resource')),
    )
    if (complaints.length > 0) throw new Error(`the page complained:\n${complaints.join('\n')}`)
  }

  async open(path = '/', origin = settings.gateway) {
    return this.page.goto(`${origin}${path}`, { waitUntil: 'load' })
  }

  /** Opens the page and waits until it has figures and its list. */
  async openReady(path = '/', origin = settings.gateway) {
    const answer = await this.open(path, origin)
    await this.get('total-sales').waitFor()
    await this.page.locator('[data-testid=feed], [data-testid=feed-empty]').waitFor()
    return answer
  }

  get(testId: string): Locator {
    return this.page.getByTestId(testId)
  }

  async textOf(testId: string): Promise<string> {
    return (await this.get(testId).innerText()).replaceAll(/\s+/g, ' ').trim()
  }

  /** Waits until `test` holds; else says what was last found. */
  async until<T>(
    what: string,
    look: () => Promise<T>,
    test: (found: T) => boolean,
    waitMs = WAIT_MS,
  ): Promise<T> {
    const deadline = Date.now() + waitMs
    for (;;) {
      const found = await look()
      if (test(found)) return found
      if (Date.now() > deadline)
        throw new Error(
          `waited ${waitMs / 1000} s for: ${what}\nlast found: ${JSON.stringify(found)}`,
        )
      await this.page.waitForTimeout(250)
    }
  }

  async untilAge(state: string, waitMs = WAIT_MS) {
    await this.until(
      `the age line is ${state}`,
      () => this.get('age').getAttribute('data-state'),
      (found) => found === state,
      waitMs,
    )
  }

  async theme(colorScheme: 'light' | 'dark') {
    await this.page.emulateMedia({ colorScheme })
    await this.page.evaluate(
      () =>
        new Promise((drawn) =>
          requestAnimationFrame(() => requestAnimationFrame(() => drawn(null))),
        ),
    )
  }

  async width(width: number) {
    await this.page.setViewportSize({ width, height: 900 })
  }

  /** No sideways scrolling; names the elements that stick out. */
  async refuseOverflow(where: string) {
    const found = await this.page.evaluate(() => {
      const room = document.documentElement.clientWidth
      const wide = document.documentElement.scrollWidth
      const out = [...document.querySelectorAll('body *')].filter(
        (one) => one.getBoundingClientRect().right > room + 1 && !one.closest('.skip, .only-heard'),
      )
      return {
        room,
        wide,
        out: out
          .slice(0, 5)
          .map(
            (one) =>
              `${one.tagName.toLowerCase()}.${one.className} ${one.textContent?.slice(0, 40)}`,
          ),
      }
    })
    if (found.wide > found.room)
      throw new Error(
        `${where}: ${found.wide} pixels wide in ${found.room}:\n${found.out.join('\n')}`,
      )
  }

  async refuseAxeViolations(where: string) {
    const { violations } = await new AxeBuilder({ page: this.page }).withTags(AXE_TAGS).analyze()
    if (violations.length === 0) return
    const lines = violations.flatMap((one) => [
      `${one.id}: ${one.help}`,
      ...one.nodes
        .slice(0, 4)
        .map(
          (node) =>
            `  ${node.target.join(' ')}: ${node.any[0]?.message ?? node.html.slice(0, 120)}`,
        ),
    ])
    throw new Error(`${where}: axe found ${violations.length} violations:\n${lines.join('\n')}`)
  }

  async screenshot(name: string): Promise<string> {
    const path = `${settings.screenshots}/${name}.png`
    await this.page.screenshot({ path, fullPage: true })
    return path
  }

  /** Ends every alteration of answers, once those under way are through. */
  async unroute() {
    await this.page.unrouteAll({ behavior: 'wait' })
  }

  async end() {
    await this.page.unrouteAll({ behavior: 'ignoreErrors' })
    await this.#context.close()
  }
}
