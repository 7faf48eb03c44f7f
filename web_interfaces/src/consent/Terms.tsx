import { useWords } from '../shared/hooks.ts'

const QUESTIONS = ['what', 'hidden', 'how_long', 'who', 'revoke', 'ledger', 'free'] as const

/** What is recorded, for how long, who sees it, and how to take it back, in plain words. */
export function Terms() {
  const { t } = useWords()
  return (
    <section className="card terms" aria-labelledby="terms-title">
      <h2 id="terms-title">{t('terms.title')}</h2>
      <dl>
        {QUESTIONS.map((question) => (
          <div key={question}>
            <dt>{t(`terms.${question}`)}</dt>
            <dd>{t(`terms.${question}.answer`)}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
