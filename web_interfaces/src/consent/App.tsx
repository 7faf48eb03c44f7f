import type { NetworkOverview } from 'hotpot-client'
import { useState } from 'react'
import { Footer } from '../components/Footer.tsx'
import { Header } from '../components/Header.tsx'
import { Localized } from '../components/Localized.tsx'
import { Problem } from '../components/Problem.tsx'
import { loadNetwork } from '../shared/api.ts'
import { useResource, useWords } from '../shared/hooks.ts'
import type { Language } from '../shared/i18n.ts'
import { Agree } from './Agree.tsx'
import { parseTable } from './codes.ts'
import { type Kept, keptFor, storage, withKept, withoutKept } from './kept.ts'
import { OneConsent } from './OneConsent.tsx'
import { TableForm } from './TableForm.tsx'
import { Terms } from './Terms.tsx'

/** A guest at a table decides whether its camera may look. */
export function App() {
  return (
    <Localized title="consent.page">{(setLanguage) => <Page onLanguage={setLanguage} />}</Localized>
  )
}

function Page({ onLanguage }: { onLanguage: (language: Language) => void }) {
  const network = useResource('network', loadNetwork)
  const table = parseTable(location.search)
  return (
    <>
      <Header onLanguage={onLanguage} />
      <main id="main" className="page narrow" tabIndex={-1}>
        {table === null && <TableForm />}
        {table !== null && network.data && <AtTable table={table} network={network.data} />}
        {table !== null && !network.data && network.error && (
          <Problem error={network.error} onRetry={network.reload} />
        )}
        <Terms />
      </main>
      <Footer network={network.data} what="consent.footer" />
    </>
  )
}

function AtTable({
  table,
  network,
}: {
  table: { outlet: number; camera: number }
  network: NetworkOverview
}) {
  const { t } = useWords()
  const [all, setAll] = useState(storage.read)
  const kept = keptFor(all, table, network.sidechain_id)
  const change = (next: Kept[]) => {
    const stored = storage.write(next)
    if (stored) setAll(next)
    return stored
  }
  return (
    <section className="card table" aria-labelledby="table-title">
      <h2 id="table-title">{t('consent.table', { outlet: table.outlet, camera: table.camera })}</h2>
      {kept === null && (
        <Agree
          table={table}
          network={network}
          onAsk={(request) => change(withKept(all, request))}
        />
      )}
      {kept !== null && (
        <OneConsent
          key={kept.commitment}
          kept={kept}
          network={network}
          onChange={(next) => change(withKept(all, next))}
          onForget={() => change(withoutKept(all, kept))}
        />
      )}
    </section>
  )
}
