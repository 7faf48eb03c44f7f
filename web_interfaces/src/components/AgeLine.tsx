import type { AsOf } from 'hotpot-client'
import { formatClock, formatCount, formatDuration, formatMoment } from '../shared/format.ts'
import { ageMs, mirroredMs, STALE_AFTER_MS } from '../shared/freshness.ts'
import { type Resource, useNow, useStreamState, useWords } from '../shared/hooks.ts'
import { Icon } from './Icon.tsx'

/** How old what you read is: said always, loudly when it is old or nobody answers. */
export function AgeLine({ figures }: { figures: Resource<{ as_of: AsOf }> }) {
  const { t, language } = useWords()
  const now = useNow()
  const stream = useStreamState()
  const offline = figures.error?.unreachable ?? false
  if (figures.data === null)
    return (
      <Line tone={offline ? 'offline' : 'plain'}>
        {t(offline ? 'age.offline_empty' : 'age.loading')}
      </Line>
    )

  const asOf = figures.data.as_of
  const age = ageMs(asOf, figures.answeredAtMs, now)
  const words = t('age.as_of', {
    time: formatMoment(mirroredMs(asOf), now, t),
    block: formatCount(asOf.height, language),
  })
  const old = t('age.old', { age: formatDuration(age, language, t) })
  if (offline)
    return (
      <Line tone="offline">{`${t('age.offline', { time: formatClock(figures.answeredAtMs) })} ${words}`}</Line>
    )
  if (age > STALE_AFTER_MS) return <Line tone="stale">{`${t('age.stale')} ${words} (${old})`}</Line>
  if (stream === 'waiting') return <Line tone="stale">{`${words}. ${t('age.polling')}`}</Line>
  return <Line tone="fresh">{words}</Line>
}

type Tone = 'plain' | 'fresh' | 'stale' | 'offline'

function Line({ tone, children }: { tone: Tone; children: string }) {
  const { t } = useWords()
  const loud = tone === 'stale' || tone === 'offline'
  return (
    <section
      className={`age ${tone}`}
      aria-label={t('age.label')}
      data-testid="age"
      data-state={tone}
    >
      <p>
        {loud && <Icon name="warning" />}
        <span>
          {children} <span className="zone">{tone === 'fresh' && t('age.zone')}</span>
        </span>
      </p>
      <p className="only-heard" role="status">
        {loud ? t(tone === 'stale' ? 'age.stale' : 'age.offline_short') : ''}
      </p>
    </section>
  )
}
