import { type ReactNode, useEffect, useState } from 'react'
import { Words } from '../shared/hooks.ts'
import { type Language, preferredLanguage, translator } from '../shared/i18n.ts'

const STORED_LANGUAGE = 'hotpot.language'

/** A page in the reader's language, which the page may change; `title` is the key of its title. */
export function Localized({
  title,
  children,
}: {
  title: string
  children: (setLanguage: (language: Language) => void) => ReactNode
}) {
  const [language, setLanguage] = useLanguage()
  const t = translator(language)
  useEffect(() => {
    document.title = t(title)
  }, [t, title])
  return <Words value={{ language, t }}>{children(setLanguage)}</Words>
}

function useLanguage(): [Language, (language: Language) => void] {
  const [language, setLanguage] = useState(() => preferredLanguage(stored(), navigator.languages))
  useEffect(() => {
    document.documentElement.lang = language
  }, [language])
  const choose = (next: Language) => {
    setLanguage(next)
    try {
      localStorage.setItem(STORED_LANGUAGE, next)
    } catch {
      // A browser that keeps nothing asks again next time.
    }
  }
  return [language, choose]
}

function stored(): string | null {
  try {
    return localStorage.getItem(STORED_LANGUAGE)
  } catch {
    return null
  }
}
