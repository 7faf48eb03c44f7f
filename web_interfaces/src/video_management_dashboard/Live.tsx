import type { OutletAnswer, PushState } from 'hotpot-client'
import { useEffect, useState } from 'react'
import { Icon } from '../components/Icon.tsx'
import { WalletWords } from '../components/WalletWords.tsx'
import { useWords } from '../shared/hooks.ts'
import { findWallet, WalletError } from '../shared/wallet.ts'
import { switchPush } from './load.ts'
import { alertsOf, type CameraShown } from './recordings.ts'
import type { Place } from './route.ts'
import type { Agent } from './useAgent.ts'
import { previewPath } from './watch.ts'

/** What the outlet's agent shows, anonymised as everything it lets out, and what it complains of. */
export function Live({
  place,
  cameras,
  agent,
  outlet,
}: {
  place: Place
  cameras: CameraShown[]
  agent: Agent
  outlet: OutletAnswer | null
}) {
  const { t } = useWords()
  return (
    <section className="card live" aria-labelledby="live-title">
      <h2 id="live-title">{t('live.title')}</h2>
      <Alerts agent={agent} />
      {agent.state === 'open' ? (
        <Picture place={place} cameras={cameras} />
      ) : (
        <Closed agent={agent} outlet={outlet} />
      )}
    </section>
  )
}

function Alerts({ agent }: { agent: Agent }) {
  const { t } = useWords()
  if (agent.state !== 'open') return null
  const alerts = alertsOf(agent.cameras)
  if (alerts.length === 0) return <p className="hint">{t('live.no_alerts')}</p>
  return (
    <div role="alert">
      <ul className="alerts" data-testid="alerts">
        {alerts.map(({ camera, alert }) => (
          <li key={`${camera} ${alert}`}>
            <Icon name="warning" />
            <span>{`${t('cameras.one', { camera })}: ${t(`alert.${alert}`)}. ${t(`alert_do.${alert}`)}`}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}

/** The chosen camera; of all of them the first that shows something. */
function Picture({ place, cameras }: { place: Place; cameras: CameraShown[] }) {
  const { t } = useWords()
  const wanted =
    place.camera === null
      ? cameras.find((one) => one.agent?.state === 'live')
      : cameras.find((one) => one.camera === place.camera)
  if (!wanted) return <Frame words={t('live.none_live')} />
  if (wanted.agent?.state !== 'live')
    return (
      <Frame
        words={`${t('cameras.one', { camera: wanted.camera })}: ${wanted.agent?.reason ?? t('live.nothing')}`}
      />
    )
  return (
    <>
      <Preview key={wanted.camera} outlet={place.outlet} camera={wanted.camera} />
      {wanted.agent.push !== 'none' && (
        <PushSwitch
          key={`push ${wanted.camera}`}
          outlet={place.outlet}
          camera={wanted.camera}
          push={wanted.agent.push}
        />
      )}
    </>
  )
}

/** Off at once; on again only as far as consents to streaming allow, which the agent asks for itself. */
function PushSwitch({
  outlet,
  camera,
  push,
}: {
  outlet: number
  camera: number
  push: Exclude<PushState, 'none'>
}) {
  const { t } = useWords()
  const [shown, setShown] = useState(push)
  const [failure, setFailure] = useState<unknown>(null)
  useEffect(() => setShown(push), [push])
  const change = () => {
    setFailure(null)
    void switchPush(outlet, camera, shown === 'off').then(
      (found) => setShown(found.push === 'off' ? 'off' : 'on'),
      (cause: unknown) => setFailure(cause),
    )
  }
  return (
    <p>
      <button
        type="button"
        className="button plain small"
        onClick={change}
        data-testid="push-switch"
      >
        {t(shown === 'on' ? 'push.stop' : 'push.go_on')}
      </button>
      {failure !== null && (
        <span role="alert">
          {t('push.failed', {
            reason: failure instanceof Error ? failure.message : String(failure),
          })}
        </span>
      )}
    </p>
  )
}

/** Browsers play HLS themselves or not at all here: a player would need what the pages' policy forbids. */
function Preview({ outlet, camera }: { outlet: number; camera: number }) {
  const { t } = useWords()
  const [failed, setFailed] = useState(0)
  const path = previewPath(outlet, camera)
  const plays = document.createElement('video').canPlayType('application/vnd.apple.mpegurl') !== ''
  return (
    <figure>
      {plays ? (
        <video
          key={failed}
          className="frame"
          src={path}
          autoPlay
          muted
          playsInline
          controls
          onError={() => setTimeout(() => setFailed((count) => count + 1), 2_000)}
          data-testid="preview"
          aria-label={t('live.of', { camera })}
        />
      ) : (
        <Frame words={t('live.no_hls')} />
      )}
      <figcaption className="hint">
        {t('live.of', { camera })} · {t('live.anonymised')}
      </figcaption>
    </figure>
  )
}

function Frame({ words }: { words: string }) {
  return (
    <div className="frame empty-frame">
      <Icon name="camera" />
      <p>{words}</p>
    </div>
  )
}

function Closed({ agent, outlet }: { agent: Agent; outlet: OutletAnswer | null }) {
  const { t } = useWords()
  if (agent.state !== 'locked') return <Frame words={t(`live.${agent.state}`)} />
  const hasWallet = findWallet() !== null
  return (
    <div className="frame empty-frame" data-testid="live-locked">
      <Icon name="lock" />
      <p>{t('live.locked')}</p>
      <button
        type="button"
        className="button"
        onClick={agent.open}
        disabled={!hasWallet || outlet === null}
      >
        {t('live.open')}
      </button>
      {!hasWallet && <p>{t('wallet.none')}</p>}
      {agent.problem !== null && (
        <div role="alert">
          {agent.problem instanceof WalletError ? (
            <WalletWords problem={agent.problem} />
          ) : (
            <p>{t('wallet.not_allowed')}</p>
          )}
        </div>
      )}
    </div>
  )
}
