import type { NetworkOverview, SupplyOverview } from 'hotpot-client'
import { Chip } from '../components/Chip.tsx'
import { Problem } from '../components/Problem.tsx'
import { formatCount, formatUnits } from '../shared/format.ts'
import { difference } from '../shared/freshness.ts'
import { type Resource, useWords } from '../shared/hooks.ts'

/** In the order in which units travel. */
const FIGURES = [
  'issued',
  'pending',
  'released',
  'unclaimed',
  'pool',
  'minted',
  'minted_final',
  'to_mint',
] as const
/** Shown once there are any. */
const RARE = ['reversed', 'debt'] as const

export function Totals({
  supply,
  network,
}: {
  supply: Resource<SupplyOverview>
  network: NetworkOverview | null
}) {
  const { t } = useWords()
  return (
    <section className="totals" aria-labelledby="totals-title">
      <h2 id="totals-title">{t('totals.title')}</h2>
      {supply.data && <Figures supply={supply.data} network={network} />}
      {!supply.data && supply.error && <Problem error={supply.error} onRetry={supply.reload} />}
      {!supply.data && !supply.error && <Skeleton />}
    </section>
  )
}

function Figures({ supply, network }: { supply: SupplyOverview; network: NetworkOverview | null }) {
  const { t, language } = useWords()
  const shown = [...FIGURES, ...RARE.filter((name) => supply[name] !== 0)]
  return (
    <>
      <dl className="figures">
        <Figure
          name={t('totals.sales')}
          figure={formatCount(supply.sales, language)}
          unit=""
          hint={t('totals.sales.hint')}
          testId="sales"
        />
        {shown.map((name) => (
          <Figure
            key={name}
            name={t(`totals.${name}`)}
            figure={formatUnits(supply[name], language)}
            unit="FRT"
            hint={t(`totals.${name}.hint`)}
            testId={name}
          />
        ))}
        <Figure
          name={t('totals.holders')}
          figure={formatCount(supply.holders, language)}
          unit=""
          hint={t('totals.holders.hint')}
          testId="holders"
        />
      </dl>
      <Books supply={supply} network={network} />
    </>
  )
}

function Figure({
  name,
  figure,
  unit,
  hint,
  testId,
}: {
  name: string
  figure: string
  unit: string
  hint: string
  testId: string
}) {
  return (
    <div className="figure">
      <dt>{name}</dt>
      <dd data-testid={`total-${testId}`}>
        {figure}
        {unit && <span className="unit"> {unit}</span>}
      </dd>
      <dd className="hint">{hint}</dd>
    </div>
  )
}

/** Two figures that must be 0, shown so that everybody can see that they are. */
function Books({ supply, network }: { supply: SupplyOverview; network: NetworkOverview | null }) {
  const { t, language } = useWords()
  const apart = difference(supply)
  const disagreements = network?.disagreements ?? 0
  const balanced = apart === 0 && disagreements === 0
  return (
    <div className={balanced ? 'books' : 'books broken'}>
      <p className="books-figure">
        {t('books.difference')} <b data-testid="difference">{formatUnits(apart, language)}</b> FRT
      </p>
      <p className="books-figure">
        {t('books.disagreements')}{' '}
        <b data-testid="disagreements">{network ? formatCount(disagreements, language) : '…'}</b>
      </p>
      <Chip tone={balanced ? 'ok' : 'failed'}>
        {t(balanced ? 'books.balanced' : 'books.broken')}
      </Chip>
      <p className="hint">{t('books.rule')}</p>
    </div>
  )
}

function Skeleton() {
  const { t } = useWords()
  return (
    <div className="figures" role="status" aria-label={t('loading')}>
      {['sales', ...FIGURES, 'holders'].map((name) => (
        <div key={name} className="figure skeleton" />
      ))}
    </div>
  )
}
