import type { SaleShare } from 'hotpot-client'
import { Chip } from '../components/Chip.tsx'
import { Hash } from '../components/Hash.tsx'
import { formatCount } from '../shared/format.ts'
import { useWords } from '../shared/hooks.ts'
import { explorerLink } from './explorer.ts'

type EvmPlace = Pick<SaleShare, 'tx_hash' | 'evm_block' | 'evm_final'>

/** A transaction of the EVM: a link when the operator named an explorer, else its hash to look up anywhere. */
export function EvmTransaction({ place, explorer }: { place: EvmPlace; explorer: string | null }) {
  const { t, language } = useWords()
  if (!place.tx_hash) return null
  const link = explorerLink(explorer, place.tx_hash)
  return (
    <>
      <span className="labelled">
        {link ? <a href={link}>{t('proof.evm_tx')}</a> : t('proof.evm_tx')}{' '}
        <Hash value={place.tx_hash} what={t('proof.evm_tx')} />
      </span>
      {place.evm_block !== undefined && (
        <Chip tone={place.evm_final ? 'ok' : 'waiting'}>
          {t(place.evm_final ? 'proof.evm_final' : 'proof.evm_open', {
            block: formatCount(place.evm_block, language),
          })}
        </Chip>
      )}
    </>
  )
}
