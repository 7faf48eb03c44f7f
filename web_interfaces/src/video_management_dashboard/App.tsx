import { type NetworkOverview, type OutletAnswer, type RecordingRow, unwrap } from 'hotpot-client'
import { useEffect, useSyncExternalStore } from 'react'
import { AgeLine } from '../components/AgeLine.tsx'
import { Footer } from '../components/Footer.tsx'
import { Header } from '../components/Header.tsx'
import { Localized } from '../components/Localized.tsx'
import { Problem } from '../components/Problem.tsx'
import { client, type Load, loadNetwork } from '../shared/api.ts'
import { useResource, useWords } from '../shared/hooks.ts'
import type { Language } from '../shared/i18n.ts'
import { Cameras } from './Cameras.tsx'
import { Consents } from './Consents.tsx'
import { Live } from './Live.tsx'
import { consentsOf, recordingsOf } from './load.ts'
import { Recordings } from './Recordings.tsx'
import { camerasOf } from './recordings.ts'
import { type Place, parsePlace, placeRoute } from './route.ts'
import { useAgent } from './useAgent.ts'
import { usePages } from './usePages.ts'

/** Cameras of an outlet, who allowed them, and what was recorded. */
export function App() {
  return (
    <Localized title="video.page">{(setLanguage) => <Page onLanguage={setLanguage} />}</Localized>
  )
}

function usePlace(): Place | null {
  const hash = useSyncExternalStore(
    (listener) => {
      addEventListener('hashchange', listener)
      return () => removeEventListener('hashchange', listener)
    },
    () => location.hash,
  )
  return parsePlace(hash)
}

const loadOutlets: Load<OutletAnswer[]> = (signal) =>
  unwrap(client.GET('/api/v1/outlets', { signal }), signal)

function Page({ onLanguage }: { onLanguage: (language: Language) => void }) {
  const network = useResource('network', loadNetwork)
  const outlets = useResource('outlets', loadOutlets)
  const place = usePlace()
  const chosen =
    place ?? (outlets.data?.[0] ? { outlet: outlets.data[0].outlet, camera: null } : null)
  const outlet = outlets.data?.find((one) => one.outlet === chosen?.outlet) ?? null
  return (
    <>
      <Header network={network.data} onLanguage={onLanguage} />
      <AgeLine figures={network} />
      <main id="main" className="page" tabIndex={-1}>
        <OutletChoice outlets={outlets.data} place={chosen} />
        {!outlets.data && outlets.error && (
          <Problem error={outlets.error} onRetry={outlets.reload} />
        )}
        {outlets.data?.length === 0 && <NoOutlet />}
        {chosen && (
          <OfOutlet key={chosen.outlet} place={chosen} outlet={outlet} network={network.data} />
        )}
      </main>
      <Footer network={network.data} what="video.footer" />
    </>
  )
}

function OutletChoice({ outlets, place }: { outlets: OutletAnswer[] | null; place: Place | null }) {
  const { t } = useWords()
  return (
    <div className="choose">
      <h2>{t('video.title')}</h2>
      {outlets && outlets.length > 0 && (
        <p className="field outlet-choice">
          <label htmlFor="outlet">{t('search.outlet')}</label>
          <select
            id="outlet"
            value={place?.outlet ?? ''}
            onChange={(event) =>
              (location.hash = placeRoute({ outlet: Number(event.target.value), camera: null }))
            }
          >
            {place && !outlets.some((one) => one.outlet === place.outlet) && (
              <option value={place.outlet}>{place.outlet}</option>
            )}
            {outlets.map((one) => (
              <option key={one.outlet} value={one.outlet}>
                {`${one.outlet} · ${one.city}`}
              </option>
            ))}
          </select>
        </p>
      )}
    </div>
  )
}

function NoOutlet() {
  const { t } = useWords()
  return (
    <p className="empty card" data-testid="no-outlet">
      {t('video.no_outlet')}
    </p>
  )
}

const keyOf = (row: RecordingRow) => row.cid
/** Recordings by which cameras are known. */
const NEWEST = 100

function OfOutlet({
  place,
  outlet,
  network,
}: {
  place: Place
  outlet: OutletAnswer | null
  network: NetworkOverview | null
}) {
  const everywhere = { outlet: place.outlet, camera: null }
  const consents = useResource(`consents ${place.outlet}`, consentsOf(place.outlet))
  const newest = useResource(`newest ${place.outlet}`, (signal) =>
    recordingsOf(everywhere)({ limit: NEWEST }, signal),
  )
  const recordings = usePages(placeRoute(place), recordingsOf(place), keyOf)
  const agent = useAgent(place.outlet, outlet, network)
  const cameras = camerasOf(consents.data?.data ?? [], newest.data?.data ?? [], agent.cameras)
  useTitleOf(place)
  return (
    <>
      <div className="columns">
        <Cameras place={place} cameras={cameras} loading={!consents.data && !consents.error} />
        <Live place={place} cameras={cameras} agent={agent} outlet={outlet} />
      </div>
      <Consents place={place} consents={consents} />
      <Recordings recordings={recordings} outlet={outlet} network={network} />
    </>
  )
}

function useTitleOf(place: Place) {
  const { t } = useWords()
  useEffect(() => {
    document.title = t('video.page_of', { outlet: place.outlet })
  }, [t, place.outlet])
}
