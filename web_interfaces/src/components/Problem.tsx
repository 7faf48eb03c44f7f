import type { ApiError } from 'hotpot-client'
import { useWords } from '../shared/hooks.ts'
import { Icon } from './Icon.tsx'

/** What failed, the id to tell the operator, and the one thing to do. */
export function Problem({ error, onRetry }: { error: ApiError; onRetry: () => void }) {
  const { t } = useWords()
  return (
    <div className="problem" role="alert">
      <p className="problem-title">
        <Icon name="warning" />
        {t(error.status === 0 ? 'error.unreachable' : 'error.refused')}
      </p>
      <p className="problem-detail">
        {error.status === 0 ? t('error.nothing_lost') : error.message}
      </p>
      {error.requestId && (
        <p className="problem-detail">
          {t('error.request_id')} <code>{error.requestId}</code>
        </p>
      )}
      <button type="button" className="button" onClick={onRetry}>
        {t('error.retry')}
      </button>
    </div>
  )
}
