import { type SaleDetail, stageOf } from 'hotpot-client'
import { CopyButton } from '../components/Hash.tsx'
import { salePath } from '../shared/api.ts'
import { useWords } from '../shared/hooks.ts'

/** One file with everything, and the command that checks it without us. */
export function Proof({ sale }: { sale: SaleDetail }) {
  const { t } = useWords()
  const file = `sale-${sale.outlet}-${sale.sale_id}.json`
  const command = `hotpot verify-sale ${file}`
  const anchored = stageOf(sale, 'anchored').state === 'done'
  return (
    <div className="proof">
      <h3>{t('proof.title')}</h3>
      <p className="hint">{t(anchored ? 'proof.how' : 'proof.later')}</p>
      {anchored && (
        <>
          <a
            className="button"
            href={`${salePath(sale.outlet, sale.sale_id)}/proof`}
            download={file}
          >
            {t('proof.download')}
          </a>
          <p className="command">
            <code>{command}</code>
            <CopyButton value={command} what={t('proof.command')} />
          </p>
        </>
      )}
    </div>
  )
}
