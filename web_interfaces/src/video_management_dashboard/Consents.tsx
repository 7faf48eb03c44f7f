import type { ConsentRow, PageAsOfConsentRow } from 'hotpot-client'
import { Chip } from '../components/Chip.tsx'
import { Hash } from '../components/Hash.tsx'
import { Problem } from '../components/Problem.tsx'
import { formatCount, formatDuration, formatMoment } from '../shared/format.ts'
import { type Resource, useNow, useWords } from '../shared/hooks.ts'
import type { Place } from './route.ts'

/** Who allows what now. */
export function Consents({
  place,
  consents,
}: {
  place: Place
  consents: Resource<PageAsOfConsentRow>
}) {
  const { t } = useWords()
  const shown =
    consents.data?.data.filter((one) => place.camera === null || one.camera === place.camera) ?? []
  return (
    <section className="card" aria-labelledby="consents-title">
      <h2 id="consents-title">{t('consents.title')}</h2>
      {!consents.data && consents.error && (
        <Problem error={consents.error} onRetry={consents.reload} />
      )}
      {!consents.data && !consents.error && (
        <div className="row skeleton" role="status" aria-label={t('loading')} />
      )}
      {consents.data && shown.length === 0 && (
        <p className="empty" data-testid="no-consent">
          {t('consents.empty')}
        </p>
      )}
      <ol className="consents" data-testid="consents">
        {shown.map((one) => (
          <Consent key={one.id} consent={one} />
        ))}
      </ol>
    </section>
  )
}

function Consent({ consent }: { consent: ConsentRow }) {
  const { t, language } = useWords()
  const now = useNow()
  const left = Date.parse(consent.until) - now
  return (
    <li className="consent" data-consent={consent.id}>
      <p className="consent-head">
        <b>{t('cameras.one', { camera: consent.camera })}</b>
        <span>{t(`consent_kind.${consent.kind}`)}</span>
        {consent.purposes.map((purpose) => (
          <Chip key={purpose} tone="info">
            {t(`purpose.${purpose}`)}
          </Chip>
        ))}
        <Chip tone={left > 0 ? 'ok' : 'plain'} icon="clock">
          {left > 0
            ? t('consents.left', { time: formatDuration(left, language, t) })
            : t('step.over')}
        </Chip>
      </p>
      <dl className="facts small">
        <Fact term={t('consent.id')}>
          <Hash value={consent.id} what={t('consent.id')} />
        </Fact>
        {consent.guest && (
          <Fact term={t('consents.guest')}>
            <Hash value={consent.guest} what={t('consents.guest')} />
          </Fact>
        )}
        {consent.witness && (
          <Fact term={t('consents.witness')}>
            <Hash value={consent.witness} what={t('consents.witness')} />
          </Fact>
        )}
        {consent.owner && (
          <Fact term={t('consents.owner')}>
            <Hash value={consent.owner} what={t('consents.owner')} />
          </Fact>
        )}
        {consent.notice_hash && (
          <Fact term={t('consents.notice')}>
            <Hash value={consent.notice_hash} what={t('consents.notice')} />
          </Fact>
        )}
        {consent.retention_days !== null && (
          <Fact term={t('consents.retention')}>
            {t('consents.days', { days: formatCount(consent.retention_days, language) })}
          </Fact>
        )}
        <Fact term={t('consent.until')}>{formatMoment(Date.parse(consent.until), now, t)}</Fact>
        <Fact term={t('consents.recordings')}>{formatCount(consent.recordings, language)}</Fact>
      </dl>
    </li>
  )
}

function Fact({ term, children }: { term: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  )
}
