/**
 * Numbers, money and times as people read them.
 * `Intl` is used for the time zone only: Chromium does not know Georgian, and would fall back to English in silence.
 */
import { currencyDigits, formatDecimal } from 'hotpot-client'
import type { Language, Translate } from './i18n.ts'

/** The outlets' time zone; the page says so. */
const TIME_ZONE = 'Asia/Tbilisi'
const THIN_SPACE = '\u202f'
const SEPARATORS: Record<Language, { group: string; decimal: string }> = {
  ka: { group: THIN_SPACE, decimal: ',' },
  ru: { group: THIN_SPACE, decimal: ',' },
  en: { group: ',', decimal: '.' },
}
const SIGNS: Record<string, string> = { GEL: '₾', EUR: '€', USD: '$', GBP: '£' }

/** 12345 → `12,345`. */
export function formatCount(count: number, language: Language): string {
  return formatDecimal(count, 0, SEPARATORS[language])
}

/** 4238 units → `42.38`. */
export function formatUnits(units: number, language: Language): string {
  return formatDecimal(units, 2, SEPARATORS[language])
}

/** 1698 tetri → `16.98 ₾`. */
export function formatMoney(amount: number, currency: string, language: Language): string {
  const figure = formatDecimal(amount, currencyDigits(currency), SEPARATORS[language])
  return `${figure}\u00a0${SIGNS[currency] ?? currency}`
}

const CLOCK = new Intl.DateTimeFormat('en-GB', {
  timeZone: TIME_ZONE,
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})

function wallClock(ms: number): Record<string, string> {
  return Object.fromEntries(CLOCK.formatToParts(ms).map((part) => [part.type, part.value]))
}

/** `14:32:10` in Tbilisi. */
export function formatClock(ms: number): string {
  const { hour, minute, second } = wallClock(ms)
  return `${hour}:${minute}:${second}`
}

/** `14:32:10` of today, `20 Nov, 14:32` of another day. */
export function formatMoment(ms: number, nowMs: number, t: Translate): string {
  const then = wallClock(ms)
  const now = wallClock(nowMs)
  if (then.day === now.day && then.month === now.month && then.year === now.year)
    return formatClock(ms)
  const day = t('time.day', { day: then.day ?? '', month: t(`month.${then.month}`) })
  const year = then.year === now.year ? '' : ` ${then.year}`
  return `${day}${year}, ${then.hour}:${then.minute}`
}

/** `432 ms`, `1.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`, `4 d 3 h`. */
export function formatDuration(ms: number, language: Language, t: Translate): string {
  if (ms < 1000) return t('time.ms', { ms: Math.round(ms) })
  const tenths = Math.round(ms / 100)
  if (tenths < 100) return t('time.s', { s: formatDecimal(tenths, 1, SEPARATORS[language]) })
  const s = Math.round(ms / 1000)
  if (s < 60) return t('time.s', { s })
  const min = Math.floor(s / 60)
  if (min < 60) return t('time.min', { min, s: s % 60 })
  const h = Math.floor(min / 60)
  if (h < 48) return t('time.h', { h, min: min % 60 })
  return t('time.d', { d: Math.floor(h / 24), h: h % 24 })
}

/** `0x1234…abcd`; a sale's id has no `0x`. */
export function shorten(hash: string): string {
  const head = hash.startsWith('0x') ? 6 : 4
  return hash.length <= head + 5 ? hash : `${hash.slice(0, head)}…${hash.slice(-4)}`
}
