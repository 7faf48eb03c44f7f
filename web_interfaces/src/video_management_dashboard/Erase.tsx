import {
  ERASE_REASONS,
  type EraseReason,
  type NetworkOverview,
  type OutletAnswer,
  type PayloadOf,
  type RecordingRow,
  transactionTypedData,
} from 'hotpot-client'
import { useState } from 'react'
import { Failed } from '../components/Failed.tsx'
import { CopyButton } from '../components/Hash.tsx'
import { Icon } from '../components/Icon.tsx'
import { postTransaction } from '../shared/api.ts'
import { useWords } from '../shared/hooks.ts'
import { connect, findWallet, signTyped } from '../shared/wallet.ts'
import { mayManage } from './recordings.ts'

type Erasing = PayloadOf<'erase_recording'>

interface EraseProps {
  row: RecordingRow
  outlet: OutletAnswer | null
  network: NetworkOverview | null
  onErased: () => void
}

/** The owner or the video agent says, with a signature, that a recording has to go; it asks twice, because there is no way back. */
export function Erase(props: EraseProps) {
  const { t } = useWords()
  const [asked, setAsked] = useState(false)
  if (!asked) {
    return (
      <p>
        <button
          type="button"
          className="button plain small"
          onClick={() => setAsked(true)}
          data-testid="erase"
        >
          <Icon name="erase" />
          {t('erase.ask')}
        </button>
      </p>
    )
  }
  return <Confirm {...props} onCancel={() => setAsked(false)} />
}

function Confirm({
  row,
  outlet,
  network,
  onErased,
  onCancel,
}: EraseProps & { onCancel: () => void }) {
  const { t } = useWords()
  const [reason, setReason] = useState<EraseReason>('request')
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<unknown>(null)
  const payload: Erasing = {
    type: 'erase_recording',
    outlet: row.outlet,
    cid: row.cid,
    reason,
  }
  const run = async () => {
    if (outlet === null || network === null) return
    setBusy(true)
    setFailure(null)
    const failed = await erase(payload, outlet, network).then(
      () => null,
      (cause: unknown) => cause,
    )
    setBusy(false)
    setFailure(failed)
    if (failed === null) onErased()
  }
  const hasWallet = findWallet() !== null
  return (
    <fieldset className="erase" data-testid="erase-confirm">
      <legend>{t('erase.title')}</legend>
      <p>{t('erase.what')}</p>
      <p className="field">
        <label htmlFor={`reason-${row.cid}`}>{t('erase.reason')}</label>
        <select
          id={`reason-${row.cid}`}
          value={reason}
          onChange={(event) => setReason(event.target.value as EraseReason)}
        >
          {ERASE_REASONS.map((one) => (
            <option key={one} value={one}>
              {t(`reason.${one}`)}
            </option>
          ))}
        </select>
      </p>
      {!hasWallet && <NoWallet payload={payload} />}
      <Failed cause={failure} otherwise="wallet.not_allowed" />
      <div className="buttons">
        {hasWallet && (
          <button
            type="button"
            className="button"
            disabled={busy || outlet === null || network === null}
            onClick={() => void run()}
          >
            {t(busy ? 'erase.busy' : 'erase.sign')}
          </button>
        )}
        <button type="button" className="button plain" disabled={busy} onClick={onCancel}>
          {t('erase.cancel')}
        </button>
      </div>
    </fieldset>
  )
}

async function erase(payload: Erasing, outlet: OutletAnswer, network: NetworkOverview) {
  const wallet = findWallet()
  const account = await connect(wallet)
  if (!mayManage(outlet, account))
    throw new Error('this account is neither the owner nor a video agent')
  const signature = await signTyped(wallet, account, transactionTypedData(network, payload))
  await postTransaction({ ...payload, signature })
}

/** The same transaction for who signs elsewhere. */
function NoWallet({ payload }: { payload: Erasing }) {
  const { t } = useWords()
  const command = `echo '${JSON.stringify(payload)}' | hotpot wallet sign - --key owner.json --send`
  return (
    <div data-testid="erase-no-wallet">
      <p>{t('wallet.none')}</p>
      <p>{t('erase.command')}</p>
      <p className="command">
        <code className="whole">{command}</code>
        <CopyButton value={command} what={t('proof.command')} />
      </p>
    </div>
  )
}
