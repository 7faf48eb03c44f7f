import { ApiError } from 'hotpot-client'
import { useWords } from '../shared/hooks.ts'
import { WalletError } from '../shared/wallet.ts'
import { WalletWords } from './WalletWords.tsx'

/** Why something that was to be signed and sent was not; `otherwise` is the key of the words for any other cause. */
export function Failed({ cause, otherwise }: { cause: unknown; otherwise: string }) {
  const { t } = useWords()
  if (cause === null) return null
  return (
    <div className="refused" role="alert" data-testid="failed">
      {cause instanceof WalletError && <WalletWords problem={cause} />}
      {cause instanceof ApiError && (
        <p>
          {cause.unreachable ? t('send.unreachable') : t('send.refused', { detail: cause.message })}
        </p>
      )}
      {!(cause instanceof WalletError || cause instanceof ApiError) && <p>{t(otherwise)}</p>}
    </div>
  )
}
