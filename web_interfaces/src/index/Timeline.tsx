import { type ApiError, isComplete, type SaleDetail, type StageName, unwrap } from 'hotpot-client'
import { useEffect, useRef, useState } from 'react'
import { Chip } from '../components/Chip.tsx'
import { Hash } from '../components/Hash.tsx'
import { Icon } from '../components/Icon.tsx'
import { Problem } from '../components/Problem.tsx'
import { client } from '../shared/api.ts'
import { formatMoment, formatMoney, formatUnits } from '../shared/format.ts'
import { useNow, useResource, useWords } from '../shared/hooks.ts'
import { type SaleKey, saleRoute } from '../shared/route.ts'
import { steppedBackAfter, stepsOf, waitingMs } from '../shared/timeline.ts'
import { Proof } from './Proof.tsx'
import { StepItem } from './Step.tsx'

/** The way of one sale from the till to a token, step by step, with what proves each. */
export function Timeline({ sale, explorer }: { sale: SaleKey | null; explorer: string | null }) {
  if (sale === null) return <NothingChosen />
  return <OneSale sale={sale} explorer={explorer} />
}

function NothingChosen() {
  const { t } = useWords()
  return (
    <section className="timeline card" aria-labelledby="timeline-title">
      <h2 id="timeline-title">{t('timeline.title')}</h2>
      <p className="empty">{t('timeline.choose')}</p>
    </section>
  )
}

function OneSale({ sale, explorer }: { sale: SaleKey; explorer: string | null }) {
  const { t } = useWords()
  const title = useFocusOnce()
  const params = { path: { outlet: sale.outlet, sale_id: sale.saleId } }
  const answer = useResource(saleRoute(sale), (signal) =>
    unwrap(client.GET('/api/v1/sales/{outlet}/{sale_id}', { params, signal }), signal),
  )
  return (
    <section className="timeline card" aria-labelledby="timeline-title">
      <div className="card-head">
        <h2 id="timeline-title" ref={title} tabIndex={-1}>
          {t('timeline.of', { outlet: sale.outlet })}
        </h2>
        <a className="button plain small" href="#/">
          <Icon name="close" />
          {t('timeline.close')}
        </a>
      </div>
      {answer.data && <Known sale={answer.data} explorer={explorer} />}
      {!answer.data && answer.error && (
        <Missing sale={sale} error={answer.error} onRetry={answer.reload} />
      )}
      {!answer.data && !answer.error && <Skeleton />}
    </section>
  )
}

/** Who opens a sale is taken to it, with a screen reader and, unless it stands in the upper half already, by scrolling. */
function useFocusOnce() {
  const title = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    title.current?.focus({ preventScroll: true })
    const top = title.current?.getBoundingClientRect().top ?? 0
    if (top < 0 || top > innerHeight / 2) title.current?.scrollIntoView({ block: 'start' })
  }, [])
  return title
}

function Missing({
  sale,
  error,
  onRetry,
}: {
  sale: SaleKey
  error: ApiError
  onRetry: () => void
}) {
  const { t } = useWords()
  if (error.status !== 404) return <Problem error={error} onRetry={onRetry} />
  return (
    <div className="empty" data-testid="unknown-sale">
      <p>{t('timeline.unknown')}</p>
      <p>
        <code className="whole">{sale.saleId}</code>
      </p>
      <p className="hint">{t('timeline.unknown.hint')}</p>
    </div>
  )
}

function Known({ sale, explorer }: { sale: SaleDetail; explorer: string | null }) {
  const { t } = useWords()
  const now = useNow()
  const steppedBack = useSteppedBack(sale)
  const steps = stepsOf(sale, steppedBack)
  const waiting = waitingMs(steps, now)
  return (
    <>
      <Facts sale={sale} now={now} />
      {steppedBack.size > 0 && (
        <p className="band" role="alert" data-testid="stepped-back">
          <Icon name="back" />
          {t('timeline.stepped_back')}
        </p>
      )}
      <ol className="steps" data-testid="steps">
        {steps.map((step) => (
          <StepItem
            key={step.stage.stage}
            step={step}
            sale={sale}
            now={now}
            waitingMs={step.current ? waiting : null}
            explorer={explorer}
          />
        ))}
      </ol>
      <p className="only-heard" role="status">
        {isComplete(sale)
          ? t('timeline.complete')
          : t('timeline.now', { stage: t(`stage.${sale.stage}`) })}
      </p>
      <Proof sale={sale} />
    </>
  )
}

/** Stages that a reorganisation took back while this page looked on. */
function useSteppedBack(sale: SaleDetail): ReadonlySet<StageName> {
  const before = useRef<SaleDetail | null>(null)
  const [steppedBack, setSteppedBack] = useState<ReadonlySet<StageName>>(new Set())
  useEffect(() => {
    const last = before.current
    before.current = sale
    setSteppedBack((known) => steppedBackAfter(known, last, sale))
  }, [sale])
  return steppedBack
}

function Facts({ sale, now }: { sale: SaleDetail; now: number }) {
  const { t, language } = useWords()
  const issued =
    sale.issued !== null && sale.issued > 0
      ? `${formatUnits(sale.issued, language)} FRT`
      : t(sale.height === null ? 'sale.not_yet' : `not_issued.${sale.not_issued}`)
  return (
    <dl className="facts" data-testid="facts">
      <Fact term={t('sale.id')}>
        <Hash value={sale.sale_id} what={t('sale.id')} />
      </Fact>
      <Fact term={t('sale.total')}>{formatMoney(sale.total, sale.currency, language)}</Fact>
      <Fact term={t('sale.issued')}>{issued}</Fact>
      <Fact term={t('sale.occurred')}>
        <time dateTime={sale.occurred_at} title={sale.occurred_at}>
          {formatMoment(Date.parse(sale.occurred_at), now, t)}
        </time>
      </Fact>
      <Fact term={t('sale.buyer')}>{t(`buyer.${sale.buyer_kind}`)}</Fact>
      {sale.refunded > 0 && (
        <Fact term={t('sale.refunded')}>
          <Chip
            tone="plain"
            icon="back"
          >{`${formatMoney(sale.refunded, sale.currency, language)} (−${formatUnits(sale.reversed, language)} FRT)`}</Chip>
        </Fact>
      )}
    </dl>
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

function Skeleton() {
  const { t } = useWords()
  return (
    <div role="status" aria-label={t('loading')}>
      {[1, 2, 3, 4, 5, 6].map((step) => (
        <div key={step} className="step skeleton" />
      ))}
    </div>
  )
}
