import en from './i18n/en.json' with { type: 'json' }
import ka from './i18n/ka.json' with { type: 'json' }
import ru from './i18n/ru.json' with { type: 'json' }

export const LANGUAGES = ['ka', 'ru', 'en'] as const
export type Language = (typeof LANGUAGES)[number]
export type Values = Record<string, string | number>
export type Translate = (key: string, values?: Values) => string

export const CATALOGUES: Record<Language, Record<string, string>> = { ka, ru, en }

/** A language's words for a key, with `{name}` replaced. A key that nobody wrote shows itself. */
export function translator(language: Language): Translate {
  const catalogue = CATALOGUES[language]
  return (key, values = {}) =>
    (catalogue[key] ?? key).replace(/\{(\w+)\}/g, (hole, name: string) =>
      String(values[name] ?? hole),
    )
}

/** The first of the reader's languages that we speak. */
export function preferredLanguage(stored: string | null, wanted: readonly string[]): Language {
  const candidates = [stored ?? '', ...wanted].map((tag) => tag.slice(0, 2).toLowerCase())
  return (
    candidates.find((tag): tag is Language => (LANGUAGES as readonly string[]).includes(tag)) ??
    'en'
  )
}
