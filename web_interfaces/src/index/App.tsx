import { useEffect, useState } from 'react'
import { AgeLine } from '../components/AgeLine.tsx'
import { Hash } from '../components/Hash.tsx'
import { Header } from '../components/Header.tsx'
import type { Network, Supply } from '../shared/api.ts'
import { keyOf } from '../shared/feed.ts'
import { useResource, useRoute, useWords, Words } from '../shared/hooks.ts'
import { type Language, preferredLanguage, translator } from '../shared/i18n.ts'
import { Feed } from './Feed.tsx'
import { Search } from './Search.tsx'
import { Timeline } from './Timeline.tsx'
import { Totals } from './Totals.tsx'

const STORED_LANGUAGE = 'hotpot.language'

/** Sales as they come, what became of the tokens, and the way of one sale. */
export function App() {
  const [language, setLanguage] = useLanguage()
  const t = translator(language)
  useEffect(() => {
    document.title = t('page.title')
  }, [t])
  return (
    <Words value={{ language, t }}>
      <Page onLanguage={setLanguage} />
    </Words>
  )
}

function Page({ onLanguage }: { onLanguage: (language: Language) => void }) {
  const network = useResource<Network>('/api/v1/network')
  const supply = useResource<Supply>('/api/v1/supply')
  const sale = useRoute()
  const shown = sale ? keyOf({ outlet: sale.outlet, sale_id: sale.saleId }) : ''
  return (
    <>
      <Header network={network.data} onLanguage={onLanguage} />
      <AgeLine figures={supply} />
      <main id="main" className="page" tabIndex={-1}>
        <Totals supply={supply} network={network.data} />
        <div className={sale ? 'columns with-sale' : 'columns'}>
          <Feed selected={sale} />
          <div className="side">
            <Search key={`search ${shown}`} selected={sale} />
            <Timeline key={`timeline ${shown}`} sale={sale} explorer={network.data?.explorer ?? null} />
          </div>
        </div>
      </main>
      <Footer network={network.data} />
    </>
  )
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

function Footer({ network }: { network: Network | null }) {
  const { t } = useWords()
  return (
    <footer className="footer">
      <p>{t('footer.what')}</p>
      {network && (
        <dl className="facts">
          <Fact term={t('footer.sidechain')} hash={network.sidechain_id} />
          {network.token && <Fact term={t('footer.token')} hash={network.token} />}
          {network.anchor && <Fact term={t('footer.anchor')} hash={network.anchor} />}
        </dl>
      )}
    </footer>
  )
}

function Fact({ term, hash }: { term: string; hash: string }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>
        <Hash value={hash} what={term} />
      </dd>
    </div>
  )
}
