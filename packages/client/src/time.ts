/** Moments as the API has them: RFC 3339 in UTC, or milliseconds where a name ends in `_ms`. Pure. */

const RFC_3339 =
  /^(\d{4}-\d\d-\d\d)T((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d+))?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i

/** Milliseconds since 1970 → RFC 3339. */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString()
}

/** RFC 3339 → milliseconds since 1970, finer digits cut off; null when it is none. */
export function parseTime(text: string | null | undefined): number | null {
  const [, day = '', clock = '', fraction = '', zone = ''] = RFC_3339.exec(text ?? '') ?? []
  if (!isDay(day)) return null
  const ms = fraction.slice(0, 3).padEnd(3, '0')
  return Date.parse(`${day}T${clock}.${ms}${zone.toUpperCase()}`)
}

/** Engines differ in what they make of the 30th of February. */
function isDay(day: string): boolean {
  const midnight = Date.parse(`${day}T00:00:00Z`)
  return !Number.isNaN(midnight) && formatTime(midnight).startsWith(day)
}
