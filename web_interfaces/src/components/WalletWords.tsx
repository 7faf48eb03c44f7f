import { useWords } from '../shared/hooks.ts'
import type { WalletError } from '../shared/wallet.ts'

/** What is the matter with the wallet, and what to do; its own words where it only says that it failed. */
export function WalletWords({ problem }: { problem: WalletError }) {
  const { t } = useWords()
  return (
    <p data-testid="wallet-problem">
      {t(`wallet.${problem.problem}`)}{' '}
      {problem.problem === 'failed' && <code className="whole">{problem.message}</code>}
    </p>
  )
}
