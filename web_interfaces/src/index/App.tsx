import { type SupplyOverview, unwrap } from 'hotpot-client'
import { AgeLine } from '../components/AgeLine.tsx'
import { Footer } from '../components/Footer.tsx'
import { Header } from '../components/Header.tsx'
import { Localized } from '../components/Localized.tsx'
import { client, type Load, loadNetwork } from '../shared/api.ts'
import { keyOf } from '../shared/feed.ts'
import { useResource, useRoute } from '../shared/hooks.ts'
import type { Language } from '../shared/i18n.ts'
import { Arrows } from './Arrows.tsx'
import { Feed } from './Feed.tsx'
import { Search } from './Search.tsx'
import { Timeline } from './Timeline.tsx'
import { Totals } from './Totals.tsx'

/** Sales as they come, what became of the tokens, and the way of one sale. */
export function App() {
  return (
    <Localized title="page.title">{(setLanguage) => <Page onLanguage={setLanguage} />}</Localized>
  )
}

const loadSupply: Load<SupplyOverview> = (signal) =>
  unwrap(client.GET('/api/v1/supply', { signal }), signal)

function Page({ onLanguage }: { onLanguage: (language: Language) => void }) {
  const network = useResource('network', loadNetwork)
  const supply = useResource('supply', loadSupply)
  const sale = useRoute()
  const shown = sale ? keyOf({ outlet: sale.outlet, sale_id: sale.saleId }) : ''
  return (
    <>
      <Header network={network.data} onLanguage={onLanguage} />
      <AgeLine figures={supply} />
      <main id="main" className="page" tabIndex={-1}>
        <Totals supply={supply} network={network.data} />
        {network.data && <Arrows network={network.data} answeredAtMs={network.answeredAtMs} />}
        <div className={sale ? 'columns with-sale' : 'columns'}>
          <Feed selected={sale} />
          <div className="side">
            <Search key={`search ${shown}`} selected={sale} />
            <Timeline
              key={`timeline ${shown}`}
              sale={sale}
              explorer={network.data?.explorer ?? null}
            />
          </div>
        </div>
      </main>
      <Footer network={network.data} what="footer.what" />
    </>
  )
}
