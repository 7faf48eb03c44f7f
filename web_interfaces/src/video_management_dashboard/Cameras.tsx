import type { CameraAnswer } from 'hotpot-client'
import { Chip, type Tone } from '../components/Chip.tsx'
import { formatCount, formatMoment } from '../shared/format.ts'
import { useNow, useWords } from '../shared/hooks.ts'
import type { CameraShown } from './recordings.ts'
import { type Place, placeRoute } from './route.ts'

const TONES: Record<CameraAnswer['state'], Tone> = { live: 'ok', waiting: 'plain', down: 'failed' }

/** One line a camera: what it looks at, who allows it, and what the agent says. */
export function Cameras({
  place,
  cameras,
  loading,
}: {
  place: Place
  cameras: CameraShown[]
  loading: boolean
}) {
  const { t } = useWords()
  return (
    <section className="card cameras" aria-labelledby="cameras-title">
      <div className="card-head">
        <h2 id="cameras-title">{t('cameras.title')}</h2>
        {place.camera !== null && (
          <a className="button plain small" href={placeRoute({ ...place, camera: null })}>
            {t('cameras.all')}
          </a>
        )}
      </div>
      {loading && <div className="row skeleton" role="status" aria-label={t('loading')} />}
      {!loading && cameras.length === 0 && (
        <p className="empty" data-testid="no-camera">
          {t('cameras.empty')}
        </p>
      )}
      <ol className="rows" data-testid="cameras">
        {cameras.map((one) => (
          <li key={one.camera}>
            <Camera place={place} shown={one} />
          </li>
        ))}
      </ol>
    </section>
  )
}

function Camera({ place, shown }: { place: Place; shown: CameraShown }) {
  const { t, language } = useWords()
  const now = useNow()
  const { agent } = shown
  return (
    <a
      className="row"
      href={placeRoute({ ...place, camera: shown.camera })}
      aria-current={place.camera === shown.camera ? 'true' : undefined}
      data-camera={shown.camera}
    >
      <span className="row-what">
        <b>{t('cameras.one', { camera: shown.camera })}</b>{' '}
        {shown.kind && <span className="hint">{t(`camera_kind.${shown.kind}`)}</span>}
      </span>
      <span className="row-time">
        {shown.lastAt ? formatMoment(Date.parse(shown.lastAt), now, t) : t('cameras.nothing_yet')}
      </span>
      <span className="row-state">
        <Chip tone={shown.consents > 0 ? 'ok' : 'plain'}>
          {t(shown.consents > 0 ? 'cameras.consents' : 'cameras.no_consent', {
            count: formatCount(shown.consents, language),
          })}
        </Chip>
        {agent && <Chip tone={TONES[agent.state]}>{t(`agent_state.${agent.state}`)}</Chip>}
        {agent && agent.push !== 'none' && (
          <Chip tone={agent.push === 'on' ? 'info' : 'plain'}>{t(`push.${agent.push}`)}</Chip>
        )}
        {agent?.viewers !== undefined && (
          <Chip tone="info">
            {t('push.viewers', { count: formatCount(agent.viewers, language) })}
          </Chip>
        )}
        {agent?.alerts.map((alert) => (
          <Chip key={alert} tone="failed">
            {t(`alert.${alert}`)}
          </Chip>
        ))}
      </span>
    </a>
  )
}
