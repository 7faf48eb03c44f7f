import type { ArrowOverview, ArrowState, NetworkOverview } from 'hotpot-client'
import { Chip, type Tone } from '../components/Chip.tsx'
import { formatDuration } from '../shared/format.ts'
import { arrowAgeMs } from '../shared/freshness.ts'
import { useNow, useWords } from '../shared/hooks.ts'

const TONES: Record<ArrowState, Tone> = { in_step: 'ok', late: 'waiting', away: 'failed' }

/** How old is what came along each way through the system, and who is away. */
export function Arrows({
  network,
  answeredAtMs,
}: {
  network: NetworkOverview
  answeredAtMs: number
}) {
  const { t } = useWords()
  const parts = network.away.map((part) => t(`part.${part}`)).join(', ')
  return (
    <section className="arrows" aria-labelledby="arrows-title" data-testid="arrows">
      <h2 id="arrows-title">{t('arrows.title')}</h2>
      <p className="arrows-away" role="status">
        {parts && t('arrows.away', { parts })}
      </p>
      <ul className="arrow-list">
        {network.arrows.map((arrow) => (
          <Arrow key={arrow.arrow} arrow={arrow} answeredAtMs={answeredAtMs} />
        ))}
      </ul>
    </section>
  )
}

function Arrow({ arrow, answeredAtMs }: { arrow: ArrowOverview; answeredAtMs: number }) {
  const { t, language } = useWords()
  const age = arrowAgeMs(arrow, answeredAtMs, useNow())
  const words =
    age === null ? t('arrows.never') : t('arrows.age', { age: formatDuration(age, language, t) })
  return (
    <li className="arrow" data-testid={`arrow-${arrow.arrow}`} data-state={arrow.state}>
      <span>{t(`arrow.${arrow.arrow}`)}</span>
      <Chip tone={TONES[arrow.state]}>{t(`arrow_state.${arrow.state}`)}</Chip>
      <span className="hint">{words}</span>
    </li>
  )
}
