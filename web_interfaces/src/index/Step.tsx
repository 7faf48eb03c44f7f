import type { SaleDetail, Stage } from 'hotpot-client'
import type { ReactNode } from 'react'
import { Hash } from '../components/Hash.tsx'
import { Icon, type IconName } from '../components/Icon.tsx'
import { formatCount, formatDuration, formatMoment } from '../shared/format.ts'
import { useWords } from '../shared/hooks.ts'
import type { Language } from '../shared/i18n.ts'
import type { Step } from '../shared/timeline.ts'
import { EvmTransaction } from './EvmTransaction.tsx'
import { Shares } from './Shares.tsx'

interface Props {
  step: Step
  sale: SaleDetail
  now: number
  /** How long this step has been waited for; null unless it is the one. */
  waitingMs: number | null
  explorer: string | null
}

/** One stage: its state, its moment, what proves it, and where the proof is. */
export function StepItem({ step, sale, now, waitingMs, explorer }: Props) {
  const { t, language } = useWords()
  const { stage } = step
  const state = stateOf(step)
  return (
    <li
      className={`step ${state}`}
      aria-current={step.current ? 'step' : undefined}
      data-stage={stage.stage}
      data-state={stage.state}
    >
      <span className="mark">
        <Icon name={MARKS[state]} />
      </span>
      <div className="step-body">
        <p className="step-head">
          <b>{t(`stage.${stage.stage}`)}</b>
          <span className={`step-state ${state}`}>{t(`state.${state}`)}</span>
          <Moment step={step} now={now} waitingMs={waitingMs} />
        </p>
        <p className="step-words">{t(wordsKey(stage), valuesOf(stage, language))}</p>
        <Evidence stage={stage} sale={sale} explorer={explorer} />
        {stage.stage === 'minted' && stage.shares && (
          <Shares shares={stage.shares} explorer={explorer} />
        )}
      </div>
    </li>
  )
}

type Look = 'done' | 'waiting' | 'not_needed' | 'back'
const MARKS: Record<Look, IconName> = {
  done: 'done',
  waiting: 'waiting',
  not_needed: 'none',
  back: 'back',
}

function stateOf(step: Step): Look {
  return step.steppedBack ? 'back' : step.stage.state
}

function wordsKey(stage: Stage): string {
  return `stage.${stage.stage}.${stage.state}`
}

/** The stage's own figures, for its sentence. */
function valuesOf(stage: Stage, language: Language): Record<string, string> {
  const figures = Object.entries(stage).filter(([, value]) => typeof value === 'number')
  return Object.fromEntries(
    figures.map(([name, value]) => [name, formatCount(value as number, language)]),
  )
}

function Moment({ step, now, waitingMs }: { step: Step; now: number; waitingMs: number | null }) {
  const { t, language } = useWords()
  if (waitingMs !== null)
    return (
      <span className="step-time">
        {t('step.waiting_for', { time: formatDuration(waitingMs, language, t) })}
      </span>
    )
  if (step.stage.state !== 'done') return null
  if (step.atMs === null) return <span className="step-time">{t('step.unseen')}</span>
  return (
    <span className="step-time">
      <time dateTime={step.stage.at ?? undefined} title={step.stage.at ?? undefined}>
        {formatMoment(step.atMs, now, t)}
      </time>
      {step.sinceMs !== null && (
        <span className="since"> +{formatDuration(step.sinceMs, language, t)}</span>
      )}
    </span>
  )
}

/** Links to what anybody can check. */
function Evidence({
  stage,
  sale,
  explorer,
}: {
  stage: Stage
  sale: SaleDetail
  explorer: string | null
}) {
  const { t } = useWords()
  if (stage.state !== 'done') return null
  switch (stage.stage) {
    case 'received':
      return (
        <Row>
          <Labelled label={t('proof.terminal')} value={stage.terminal} />
          <JsonLink path={`/api/v1/transactions/${sale.transaction_id}`}>
            {t('proof.transaction')}
          </JsonLink>
        </Row>
      )
    case 'in_block':
      return (
        <Row>
          {stage.block_hash && <Labelled label={t('proof.block_hash')} value={stage.block_hash} />}
          <JsonLink path={`/api/v1/blocks/${stage.height}`}>{t('proof.block')}</JsonLink>
        </Row>
      )
    case 'final':
      return (
        <Row>
          <JsonLink path={`/api/v1/blocks/${sale.height}`}>{t('proof.certificate')}</JsonLink>
        </Row>
      )
    case 'anchored':
      return (
        <Row>
          <JsonLink path={`/api/v1/checkpoints/${stage.epoch}`}>{t('proof.checkpoint')}</JsonLink>
          <EvmTransaction place={stage} explorer={explorer} />
        </Row>
      )
    case 'minted':
    case 'indexed':
      return null
  }
}

function Row({ children }: { children: ReactNode }) {
  return <p className="evidence">{children}</p>
}

function JsonLink({ path, children }: { path: string; children: string }) {
  return <a href={path}>{children}</a>
}

function Labelled({ label, value }: { label: string; value: string }) {
  return (
    <span className="labelled">
      {label} <Hash value={value} what={label} />
    </span>
  )
}

/** Where something stands on the EVM; absent until it does. */
