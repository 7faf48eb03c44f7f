import { type NetworkOverview, PURPOSES, type Purpose } from 'hotpot-client'
import { type FormEvent, useState } from 'react'
import { Failed } from '../components/Failed.tsx'
import { useWords } from '../shared/hooks.ts'
import { connect, findWallet } from '../shared/wallet.ts'
import { type Kept, referenceOf, requestOf } from './kept.ts'

const MINUTES = [30, 60, 90, 120, 180] as const
const DEFAULT_MINUTES = 90

interface AgreeProps {
  table: { outlet: number; camera: number }
  network: NetworkOverview
  /** Keeps the request; false when this browser keeps nothing. */
  onAsk: (request: Kept) => boolean
}

/** Nothing is ticked for the guest but the shortest way: recording has to be chosen, and a public stream too. */
export function Agree({ table, network, onAsk }: AgreeProps) {
  const { t } = useWords()
  const [purposes, setPurposes] = useState<readonly Purpose[]>([])
  const [minutes, setMinutes] = useState<number>(DEFAULT_MINUTES)
  const [byWallet, setByWallet] = useState(false)
  const [nothing, setNothing] = useState(false)
  const [problem, setProblem] = useState<unknown>(null)

  const ask = async () => {
    const { addressOf, commitmentOf, newKey, randomSalt } = await import('hotpot-client/keys')
    const key = byWallet ? null : newKey()
    const guest = key === null ? await connect(findWallet()) : addressOf(key)
    const salt = randomSalt()
    const commitment = commitmentOf(salt, referenceOf(table, guest))
    const terms = {
      ...table,
      purposes: PURPOSES.filter((purpose) => purposes.includes(purpose)),
      until_ms: Date.now() + minutes * 60_000,
    }
    if (!onAsk(requestOf(terms, network.sidechain_id, { guest, key }, { salt, commitment })))
      throw new Error('this browser keeps nothing')
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setProblem(null)
    setNothing(purposes.length === 0)
    if (purposes.length > 0) void ask().catch(setProblem)
  }
  return (
    <form className="agree" onSubmit={submit} noValidate data-testid="agree">
      <p>{t('agree.now_off')}</p>
      <Purposes chosen={purposes} onChange={setPurposes} />
      <Minutes chosen={minutes} onChange={setMinutes} />
      <Signer byWallet={byWallet} onChange={setByWallet} />
      {nothing && (
        <p className="refused" role="alert">
          {t('agree.nothing_chosen')}
        </p>
      )}
      <Failed cause={problem} otherwise="agree.not_kept" />
      <button type="submit" className="button">
        {t('agree.ask')}
      </button>
      <p className="hint">{t('agree.ask.hint')}</p>
    </form>
  )
}

function Purposes({
  chosen,
  onChange,
}: {
  chosen: readonly Purpose[]
  onChange: (purposes: Purpose[]) => void
}) {
  const { t } = useWords()
  const toggle = (purpose: Purpose) =>
    onChange(
      chosen.includes(purpose) ? chosen.filter((one) => one !== purpose) : [...chosen, purpose],
    )
  return (
    <fieldset>
      <legend>{t('agree.purposes')}</legend>
      {PURPOSES.map((purpose) => (
        <label key={purpose} className="choice">
          <input
            type="checkbox"
            checked={chosen.includes(purpose)}
            onChange={() => toggle(purpose)}
          />
          <span>
            <b>{t(`purpose.${purpose}`)}</b>
            <span className="hint">{t(`purpose.${purpose}.hint`)}</span>
          </span>
        </label>
      ))}
    </fieldset>
  )
}

function Minutes({ chosen, onChange }: { chosen: number; onChange: (minutes: number) => void }) {
  const { t } = useWords()
  return (
    <p className="field minutes">
      <label htmlFor="minutes">{t('agree.minutes')}</label>
      <select
        id="minutes"
        value={chosen}
        onChange={(event) => onChange(Number(event.target.value))}
      >
        {MINUTES.map((minutes) => (
          <option key={minutes} value={minutes}>
            {t('agree.minutes.of', { minutes })}
          </option>
        ))}
      </select>
    </p>
  )
}

function Signer({
  byWallet,
  onChange,
}: {
  byWallet: boolean
  onChange: (byWallet: boolean) => void
}) {
  const { t } = useWords()
  const hasWallet = findWallet() !== null
  return (
    <fieldset>
      <legend>{t('signer.title')}</legend>
      <label className="choice">
        <input type="radio" name="signer" checked={!byWallet} onChange={() => onChange(false)} />
        <span>
          <b>{t('signer.once')}</b>
          <span className="hint">{t('signer.once.hint')}</span>
        </span>
      </label>
      <label className="choice">
        <input
          type="radio"
          name="signer"
          checked={byWallet}
          disabled={!hasWallet}
          onChange={() => onChange(true)}
        />
        <span>
          <b>{t('signer.wallet')}</b>
          <span className="hint">{t(hasWallet ? 'signer.wallet.hint' : 'signer.wallet.none')}</span>
        </span>
      </label>
    </fieldset>
  )
}
