import type { SaleShare, ShareState } from 'hotpot-client'
import { Chip, type Tone } from '../components/Chip.tsx'
import { Hash } from '../components/Hash.tsx'
import { formatUnits } from '../shared/format.ts'
import { useWords } from '../shared/hooks.ts'
import { EvmTransaction } from './EvmTransaction.tsx'

const TONES: Record<ShareState, Tone> = {
  minted: 'ok',
  released: 'waiting',
  pending: 'waiting',
  unclaimed: 'plain',
  paid_debt: 'plain',
  bonded: 'plain',
  pool: 'plain',
  reversed: 'plain',
}

/**
 * Who gets how much of a sale's units, and how far each share has come.
 * The roles are written out: a narrow screen lays rows out as a grid, and browsers then forget what they are.
 */
export function Shares({ shares, explorer }: { shares: SaleShare[]; explorer: string | null }) {
  const { t } = useWords()
  if (shares.length === 0) return null
  return (
    <table className="shares" role="table" data-testid="shares">
      <caption className="only-heard">{t('shares.caption')}</caption>
      <thead role="rowgroup">
        <tr role="row">
          <th scope="col" role="columnheader">
            {t('shares.who')}
          </th>
          <th scope="col" role="columnheader" className="number">
            FRT
          </th>
          <th scope="col" role="columnheader">
            {t('shares.state')}
          </th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {shares.map((share, index) => (
          <ShareRow
            // biome-ignore lint/suspicious/noArrayIndexKey: the shares of a sale keep their order, and two can be alike but for it.
            key={`${share.kind}${share.address ?? ''}${index}`}
            share={share}
            explorer={explorer}
          />
        ))}
      </tbody>
    </table>
  )
}

function ShareRow({ share, explorer }: { share: SaleShare; explorer: string | null }) {
  const { t, language } = useWords()
  const kind = t(`share.${share.kind}`)
  return (
    <tr role="row" data-share={share.state}>
      <th scope="row" role="rowheader">
        <span className="share-kind">{kind}</span>{' '}
        {share.address && <Hash value={share.address} what={kind} />}
      </th>
      <td role="cell" className="number">
        {formatUnits(share.units, language)}
        {share.reversed > 0 && (
          <span className="hint">
            {' '}
            {t('share.minus', { units: formatUnits(share.reversed, language) })}
          </span>
        )}
      </td>
      <td role="cell">
        <span className="share-state">
          <Chip tone={TONES[share.state]}>{t(`share_state.${share.state}`)}</Chip>
          <EvmTransaction place={share} explorer={explorer} />
        </span>
      </td>
    </tr>
  )
}
