import type { NetworkOverview } from 'hotpot-client'
import { useWords } from '../shared/hooks.ts'
import { Hash } from './Hash.tsx'

/** What the page is, the other pages, and which network this is. */
export function Footer({ network, what }: { network: NetworkOverview | null; what: string }) {
  const { t } = useWords()
  return (
    <footer className="footer">
      <p>{t(what)}</p>
      <nav className="links" aria-label={t('footer.pages')}>
        <a href="/">{t('footer.sales')}</a>
        <a href="/video.html">{t('footer.video')}</a>
        <a href="/consent.html">{t('footer.consent')}</a>
      </nav>
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
