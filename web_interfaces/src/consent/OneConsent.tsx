import { type ConsentAnswer, type NetworkOverview, unwrap, witnessTypedData } from 'hotpot-client'
import { type FormEvent, lazy, Suspense, useEffect, useState } from 'react'
import { Chip, type Tone } from '../components/Chip.tsx'
import { Failed } from '../components/Failed.tsx'
import { CopyButton, Hash } from '../components/Hash.tsx'
import { client } from '../shared/api.ts'
import { formatDuration, formatMoment } from '../shared/format.ts'
import { useNow, useResource, useWords } from '../shared/hooks.ts'
import { parseAnswer, requestCode } from './codes.ts'
import { type AnswerProblem, answered, type Kept, type Step, stepOf } from './kept.ts'
import { idOf, record, revoke } from './send.ts'

const QrCode = lazy(async () => ({ default: (await import('../components/QrCode.tsx')).QrCode }))

interface OneProps {
  kept: Kept
  network: NetworkOverview
  onChange: (kept: Kept) => boolean
  onForget: () => void
}

const TONES: Record<Step, Tone> = {
  asked: 'waiting',
  witnessed: 'waiting',
  in_force: 'ok',
  revoked: 'plain',
  over: 'plain',
}

/** One consent on its way: asked, witnessed, in force, and taken back. */
export function OneConsent(props: OneProps) {
  const { id, recorded } = props.kept
  // Sent before this page was opened and its answer lost: the ledger knows whether it has it.
  const [sentBefore] = useState(id !== null)
  return id !== null && (recorded || sentBefore) ? (
    <OnLedger {...props} id={id} />
  ) : (
    <Shown {...props} answer={null} />
  )
}

function OnLedger(props: OneProps & { id: string }) {
  const params = { path: { id: props.id } }
  const answer = useResource(`consent ${props.id}`, (signal) =>
    unwrap(client.GET('/api/v1/consents/{id}', { params, signal }), signal),
  )
  return <Shown {...props} answer={answer.data} reload={answer.reload} />
}

function Shown(props: OneProps & { answer: ConsentAnswer | null; reload?: () => void }) {
  const { t } = useWords()
  const now = useNow()
  const { kept, answer } = props
  const step = stepOf(kept, answer, now)
  return (
    <div className="one" data-testid="consent" data-step={step}>
      <p role="status">
        <Chip tone={TONES[step]}>{t(`step.${step}`)}</Chip>
      </p>
      <TermsOf kept={kept} answer={answer} step={step} now={now} />
      {step === 'asked' && <AskTerminal {...props} />}
      {step === 'witnessed' && <SwitchOn {...props} />}
      {step === 'in_force' && <Revoke {...props} />}
      {(step === 'revoked' || step === 'over') && <Ended {...props} step={step} />}
    </div>
  )
}

function TermsOf({
  kept,
  answer,
  step,
  now,
}: {
  kept: Kept
  answer: ConsentAnswer | null
  step: Step
  now: number
}) {
  const { t, language } = useWords()
  const until = answer?.until_ms ?? kept.until_ms
  return (
    <dl className="facts">
      <div>
        <dt>{t('consent.allows')}</dt>
        <dd>{kept.purposes.map((purpose) => t(`purpose.${purpose}`)).join(' · ')}</dd>
      </div>
      <div>
        <dt>{t('consent.until')}</dt>
        <dd>{formatMoment(until, now, t)}</dd>
      </div>
      {step === 'in_force' && (
        <div>
          <dt>{t('consent.left')}</dt>
          <dd className="countdown" data-testid="countdown">
            {formatDuration(Math.max(0, Math.floor((until - now) / 1000) * 1000), language, t)}
          </dd>
        </div>
      )}
      {kept.id && (
        <div>
          <dt>{t('consent.id')}</dt>
          <dd>
            <Hash value={kept.id} what={t('consent.id')} />
          </dd>
        </div>
      )}
      <div>
        <dt>{t('consent.signed_by')}</dt>
        <dd>
          <Hash value={kept.guest} what={t('consent.signed_by')} />
        </dd>
      </div>
    </dl>
  )
}

/** The request for the terminal, and the field for its answer; a link that brings the answer fills it. */
function AskTerminal({ kept, network, onChange, onForget }: OneProps) {
  const { t } = useWords()
  const code = requestCode(network.sidechain_id, kept)
  const [text, setText] = useState('')
  const [problem, setProblem] = useState<AnswerProblem | null>(null)
  const take = async (given: string) => {
    const { signerOf } = await import('hotpot-client/keys')
    const next = answered(kept, parseAnswer(given), (consent, signature) =>
      signerOf(witnessTypedData(network, consent), signature),
    )
    if (typeof next === 'string') return setProblem(next)
    onChange(next)
  }
  useAnswerOfLink(take)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    void take(text)
  }
  return (
    <>
      <h3>{t('witness.title')}</h3>
      <p>{t('witness.show')}</p>
      <Suspense fallback={<div className="qr skeleton" />}>
        <QrCode text={code} label={t('witness.qr')} />
      </Suspense>
      <p className="command">
        <code className="whole" data-testid="request-code">
          {code}
        </code>
        <CopyButton value={code} what={t('witness.code')} />
      </p>
      <form className="answer" onSubmit={submit} noValidate>
        <label htmlFor="answer">{t('witness.answer')}</label>
        <textarea
          id="answer"
          rows={3}
          value={text}
          onChange={(event) => setText(event.target.value)}
          autoComplete="off"
          spellCheck={false}
          aria-invalid={problem !== null}
          aria-describedby="answer-help"
        />
        <p
          id="answer-help"
          className={problem ? 'refused' : 'hint'}
          role={problem ? 'alert' : undefined}
        >
          {t(problem ? `answer.${problem}` : 'witness.answer.hint')}
        </p>
        <div className="buttons">
          <button type="submit" className="button">
            {t('witness.take')}
          </button>
          <button type="button" className="button plain" onClick={onForget}>
            {t('witness.cancel')}
          </button>
        </div>
      </form>
    </>
  )
}

/** The terminal may show a link that ends with its answer; it is taken once and leaves the address bar. */
function useAnswerOfLink(take: (text: string) => Promise<void>) {
  useEffect(() => {
    const look = () => {
      if (location.hash.length < 2) return
      const given = location.hash
      history.replaceState(null, '', location.pathname + location.search)
      void take(given)
    }
    look()
    addEventListener('hashchange', look)
    return () => removeEventListener('hashchange', look)
  })
}

function useAct(act: () => Promise<void>) {
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<unknown>(null)
  const run = async () => {
    setBusy(true)
    setFailure(null)
    await act().catch(setFailure)
    setBusy(false)
  }
  return { busy, failure, run: () => void run() }
}

function SwitchOn({ kept, network, onChange, onForget }: OneProps) {
  const { t } = useWords()
  const { busy, failure, run } = useAct(async () => {
    const sent = { ...kept, id: await idOf(kept, network) }
    // Kept before it is sent: if the answer is lost, there still is what can be revoked.
    if (!onChange(sent)) throw new Error('this browser keeps nothing')
    await record(sent, network)
    onChange({ ...sent, recorded: true })
  })
  return (
    <>
      <p>{t('record.ready')}</p>
      {kept.salt === null && <p className="hint">{t('record.terminals_terms')}</p>}
      <Failed cause={failure} otherwise="agree.not_kept" />
      <div className="buttons">
        <button type="button" className="button" disabled={busy} onClick={run}>
          {t(busy ? 'record.sending' : 'record.sign')}
        </button>
        {kept.id === null && (
          <button type="button" className="button plain" disabled={busy} onClick={onForget}>
            {t('witness.cancel')}
          </button>
        )}
      </div>
    </>
  )
}

function Revoke({ kept, network, reload }: OneProps & { reload?: () => void }) {
  const { t } = useWords()
  const { busy, failure, run } = useAct(async () => {
    await revoke(kept, network)
    reload?.()
  })
  return (
    <>
      <p>{t('revoke.how')}</p>
      <Failed cause={failure} otherwise="agree.not_kept" />
      <button
        type="button"
        className="button wide"
        disabled={busy}
        onClick={run}
        data-testid="revoke"
      >
        {t(busy ? 'revoke.sending' : 'revoke.now')}
      </button>
      {kept.key !== null && <p className="hint">{t('revoke.key')}</p>}
    </>
  )
}

function Ended({
  kept,
  answer,
  step,
  onForget,
}: OneProps & { answer: ConsentAnswer | null; step: 'revoked' | 'over' }) {
  const { t } = useWords()
  const now = useNow()
  return (
    <>
      {answer?.revoked_at_ms !== undefined && (
        <p>{t('ended.revoked_at', { time: formatMoment(answer.revoked_at_ms, now, t) })}</p>
      )}
      <p>{t(`ended.${step}`)}</p>
      <button type="button" className="button plain" onClick={onForget}>
        {t('ended.forget')}
      </button>
      {kept.key !== null && <p className="hint">{t('ended.forget.hint')}</p>}
    </>
  )
}
