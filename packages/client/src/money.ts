/** Amounts in a currency's smallest unit, never through a fraction. Pure. */

/** ISO 4217: digits after the point, and the currencies that have them; all others have two. */
const DIGITS: readonly [number, string][] = [
  [0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'],
  [3, 'BHD IQD JOD KWD LYD OMR TND'],
  [4, 'CLF UYW'],
]

/** How many digits after the point a currency has. */
export function currencyDigits(currency: string): number {
  return DIGITS.find(([, codes]) => codes.split(' ').includes(currency))?.[0] ?? 2
}

/** 1698 with 2 digits → `16.98`. */
export function formatDecimal(
  amount: number,
  digits: number,
  separators: { group: string; decimal: string } = { group: '', decimal: '.' },
): string {
  const text = Math.abs(amount)
    .toString()
    .padStart(digits + 1, '0')
  const whole = text.slice(0, text.length - digits).replace(/\B(?=(\d{3})+$)/g, separators.group)
  const fraction = digits > 0 ? separators.decimal + text.slice(-digits) : ''
  return (amount < 0 ? '−' : '') + whole + fraction
}

/** `16.98` with 2 digits → 1698; null for anything that is not exactly an amount, more digits included. */
export function parseDecimal(text: string, digits: number): number | null {
  const match = /^(\d+)(?:\.(\d+))?$/.exec(text)
  const [, whole = '', fraction = ''] = match ?? []
  if (match === null || fraction.length > digits) return null
  const amount = Number(whole + fraction.padEnd(digits, '0'))
  return Number.isSafeInteger(amount) ? amount : null
}
