import type { NetworkOverview, OutletAnswer, RecordingRow } from 'hotpot-client'
import { useState } from 'react'
import { Chip, type Tone } from '../components/Chip.tsx'
import { Hash } from '../components/Hash.tsx'
import type { IconName } from '../components/Icon.tsx'
import { Problem } from '../components/Problem.tsx'
import { formatClock, formatCount, formatDuration, formatMoment } from '../shared/format.ts'
import { useNow, useWords } from '../shared/hooks.ts'
import { Erase } from './Erase.tsx'
import { hasProof, lengthMs, type RecordingState, stateOf } from './recordings.ts'
import type { Pages } from './usePages.ts'

const TONES: Record<RecordingState, Tone> = {
  pinned: 'info',
  in_checkpoint: 'waiting',
  anchored: 'ok',
  erased: 'plain',
}
const ICONS: Partial<Record<RecordingState, IconName>> = { erased: 'erase' }

interface Shared {
  outlet: OutletAnswer | null
  network: NetworkOverview | null
  onErased: () => void
}

/** What was recorded: under which name, on whose consent, and what the chains say of it. */
export function Recordings({
  recordings,
  outlet,
  network,
}: {
  recordings: Pages<RecordingRow>
  outlet: OutletAnswer | null
  network: NetworkOverview | null
}) {
  const { t } = useWords()
  const { rows, error } = recordings
  return (
    <section className="card" aria-labelledby="recordings-title">
      <h2 id="recordings-title">{t('recordings.title')}</h2>
      {!rows && error && <Problem error={error} onRetry={recordings.reload} />}
      {!rows && !error && <Skeleton />}
      {rows?.length === 0 && (
        <p className="empty" data-testid="no-recording">
          {t('recordings.empty')}
        </p>
      )}
      {rows && rows.length > 0 && (
        <ol className="recordings" data-testid="recordings">
          {rows.map((row) => (
            <Recording
              key={row.cid}
              row={row}
              outlet={outlet}
              network={network}
              onErased={recordings.reload}
            />
          ))}
        </ol>
      )}
      {recordings.hasMore && (
        <button
          type="button"
          className="button plain wide"
          disabled={recordings.loadingMore}
          onClick={recordings.more}
        >
          {t(recordings.loadingMore ? 'loading' : 'recordings.older')}
        </button>
      )}
    </section>
  )
}

function Skeleton() {
  const { t } = useWords()
  return (
    <div role="status" aria-label={t('loading')}>
      {[1, 2, 3].map((row) => (
        <div key={row} className="row skeleton" />
      ))}
    </div>
  )
}

function Recording({ row, ...shared }: { row: RecordingRow } & Shared) {
  const { t, language } = useWords()
  const now = useNow()
  const [opened, setOpened] = useState(false)
  const state = stateOf(row)
  const id = `details-${row.cid}`
  return (
    <li className="recording" data-cid={row.cid} data-state={state}>
      <div className="recording-head">
        <span className="recording-when">
          <time dateTime={row.started_at} title={`${row.started_at} – ${row.ended_at}`}>
            {`${formatMoment(Date.parse(row.started_at), now, t)} – ${formatClock(Date.parse(row.ended_at))}`}
          </time>
          <span className="hint">{formatDuration(lengthMs(row), language, t)}</span>
        </span>
        <span className="recording-what">
          {t('recordings.of', {
            camera: row.camera,
            sequence: formatCount(row.sequence, language),
          })}{' '}
          <Hash value={row.cid} what="CID" />
        </span>
        <span className="recording-state">
          <StateChip row={row} state={state} />
        </span>
        <button
          type="button"
          className="button plain small"
          aria-expanded={opened}
          aria-controls={id}
          onClick={() => setOpened(!opened)}
        >
          {t(opened ? 'recordings.less' : 'recordings.more')}
          <span className="only-heard"> {row.cid.slice(-6)}</span>
        </button>
      </div>
      <div id={id} hidden={!opened}>
        {opened && <Details row={row} state={state} {...shared} />}
      </div>
    </li>
  )
}

function StateChip({ row, state }: { row: RecordingRow; state: RecordingState }) {
  const { t, language } = useWords()
  const now = useNow()
  const words = row.erased
    ? t('recording_state.erased', {
        reason: t(`reason.${row.erased.reason}`),
        time: formatMoment(Date.parse(row.erased.at), now, t),
      })
    : t(`recording_state.${state}`, { epoch: formatCount(row.epoch ?? 0, language) })
  const icon = ICONS[state]
  return (
    <Chip tone={TONES[state]} {...(icon ? { icon } : {})}>
      {words}
    </Chip>
  )
}

function Details({
  row,
  state,
  outlet,
  network,
  onErased,
}: { row: RecordingRow; state: RecordingState } & Shared) {
  const { t, language } = useWords()
  return (
    <div className="details">
      <dl className="facts small">
        <Fact term={t('recordings.consent')} value={row.consent} />
        <Fact term={t('recordings.manifest')} value={row.manifest_hash} />
        <Fact term={t('recordings.agent')} value={row.agent} />
        <Fact term={t('recordings.transaction')} value={row.transaction_id} />
        {row.erased && <Fact term={t('recordings.erased_by')} value={row.erased.by} />}
      </dl>
      <p className="hint">
        {t(`recording_means.${state}`, { height: formatCount(row.height, language) })}
      </p>
      <p className="links">
        {hasProof(row) && (
          <a
            href={`/api/v1/recordings/${row.cid}/proof`}
            download={`recording-${row.cid}.json`}
            data-testid="proof"
          >
            {t('recordings.proof')}
          </a>
        )}
        <a href={`/api/v1/recordings/${row.cid}`}>{t('recordings.json')}</a>
        <a href={`/api/v1/consents/${row.consent}`}>{t('recordings.consent_json')}</a>
      </p>
      {hasProof(row) && <p className="hint">{t('recordings.proof.means')}</p>}
      {!row.erased && <Erase row={row} outlet={outlet} network={network} onErased={onErased} />}
    </div>
  )
}

function Fact({ term, value }: { term: string; value: string }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>
        <Hash value={value} what={term} />
      </dd>
    </div>
  )
}
