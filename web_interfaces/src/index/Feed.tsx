import type { SaleRow } from 'hotpot-client'
import { Chip } from '../components/Chip.tsx'
import { Icon } from '../components/Icon.tsx'
import { Problem } from '../components/Problem.tsx'
import { keyOf } from '../shared/feed.ts'
import { formatCount, formatMoment, formatMoney, formatUnits, shorten } from '../shared/format.ts'
import { useNow, useWords } from '../shared/hooks.ts'
import { type SaleKey, saleRoute } from '../shared/route.ts'
import { type FeedState, useFeed } from './useFeed.ts'

/** Sales as they come. It moves by itself, so it can be held still. */
export function Feed({ selected }: { selected: SaleKey | null }) {
  const { t } = useWords()
  const state = useFeed()
  return (
    <section className="feed card" aria-labelledby="feed-title">
      <div className="card-head">
        <h2 id="feed-title">{t('feed.title')}</h2>
        <PauseButton state={state} />
      </div>
      {state.error && !state.feed && <Problem error={state.error} onRetry={state.reload} />}
      {!state.error && !state.feed && <Skeleton />}
      {state.feed && state.feed.rows.length === 0 && <Empty />}
      {state.feed && state.feed.rows.length > 0 && (
        <Rows rows={state.feed.rows} selected={selected} />
      )}
      {state.feed?.cursor != null && (
        <button
          type="button"
          className="button plain"
          disabled={state.loadingOlder}
          onClick={state.older}
        >
          {t(state.loadingOlder ? 'loading' : 'feed.older')}
        </button>
      )}
    </section>
  )
}

function PauseButton({ state }: { state: FeedState }) {
  const { t, language } = useWords()
  const words =
    state.held > 0
      ? t('feed.resume_with', { count: formatCount(state.held, language) })
      : t(state.paused ? 'feed.resume' : 'feed.pause')
  return (
    <button
      type="button"
      className="button plain small"
      onClick={() => state.setPaused(!state.paused)}
    >
      <Icon name={state.paused ? 'play' : 'pause'} />
      {words}
    </button>
  )
}

function Rows({ rows, selected }: { rows: SaleRow[]; selected: SaleKey | null }) {
  const now = useNow()
  const selectedKey = selected && keyOf({ outlet: selected.outlet, sale_id: selected.saleId })
  return (
    <ol className="rows" data-testid="feed">
      {rows.map((row) => (
        <li key={keyOf(row)}>
          <Row row={row} now={now} current={keyOf(row) === selectedKey} />
        </li>
      ))}
    </ol>
  )
}

function Row({ row, now, current }: { row: SaleRow; now: number; current: boolean }) {
  const { t, language } = useWords()
  return (
    <a
      className="row"
      href={saleRoute({ outlet: row.outlet, saleId: row.sale_id })}
      aria-current={current ? 'true' : undefined}
      data-sale={keyOf(row)}
    >
      <time className="row-time" dateTime={row.time} title={row.time}>
        {formatMoment(Date.parse(row.time), now, t)}
      </time>
      <span className="row-what">
        {t('feed.outlet', { outlet: row.outlet })} <code>{shorten(row.sale_id)}</code>
      </span>
      <span className="row-money">{formatMoney(row.total, row.currency, language)}</span>
      <span className="row-units">
        {row.issued > 0
          ? `${formatUnits(row.issued, language)} FRT`
          : t(`not_issued.${row.not_issued}`)}
      </span>
      <span className="row-state">
        <Chip tone={row.anchored ? 'ok' : 'info'}>
          {t(row.anchored ? 'feed.anchored' : 'feed.final')}
        </Chip>
        {row.refunded > 0 && (
          <Chip tone="plain" icon="back">
            {t('feed.refunded')}
          </Chip>
        )}
      </span>
    </a>
  )
}

function Empty() {
  const { t } = useWords()
  return (
    <div className="empty" data-testid="feed-empty">
      <p>{t('feed.empty')}</p>
      <p className="hint">{t('feed.empty.hint')}</p>
      <code className="command">
        hotpot import examples/georgia.csv --map examples/georgia.toml
      </code>
    </div>
  )
}

function Skeleton() {
  const { t } = useWords()
  return (
    <div role="status" aria-label={t('loading')}>
      {[1, 2, 3, 4, 5, 6].map((row) => (
        <div key={row} className="row skeleton" />
      ))}
    </div>
  )
}
