import { type FormEvent, useState } from 'react'
import { useWords } from '../shared/hooks.ts'
import { parseSaleKey, type SaleKey, saleRoute } from '../shared/route.ts'

/** By what stands on the receipt: the outlet's number and the sale's id. */
export function Search({ selected }: { selected: SaleKey | null }) {
  const { t } = useWords()
  const [outlet, setOutlet] = useState(selected ? String(selected.outlet) : '')
  const [saleId, setSaleId] = useState(selected?.saleId ?? '')
  const [refused, setRefused] = useState(false)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const key = parseSaleKey(outlet, saleId)
    setRefused(key === null)
    if (key !== null) location.hash = saleRoute(key)
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: browsers of before 2023 do not know the search element.
    <form
      className="search card"
      role="search"
      aria-labelledby="search-title"
      onSubmit={submit}
      noValidate
    >
      <h2 id="search-title">{t('search.title')}</h2>
      <div className="fields">
        <Field
          id="outlet"
          label={t('search.outlet')}
          value={outlet}
          onChange={setOutlet}
          refused={refused}
          numeric
        />
        <Field
          id="sale-id"
          label={t('search.sale_id')}
          value={saleId}
          onChange={setSaleId}
          refused={refused}
        />
        <button type="submit" className="button">
          {t('search.show')}
        </button>
      </div>
      <p
        id="search-help"
        className={refused ? 'refused' : 'hint'}
        role={refused ? 'alert' : undefined}
      >
        {t(refused ? 'search.refused' : 'search.help')}
      </p>
    </form>
  )
}

interface FieldProps {
  id: string
  label: string
  value: string
  onChange: (value: string) => void
  refused: boolean
  numeric?: boolean
}

function Field({ id, label, value, onChange, refused, numeric = false }: FieldProps) {
  return (
    <p className={`field ${id}`}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        inputMode={numeric ? 'numeric' : 'text'}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        aria-invalid={refused}
        aria-describedby="search-help"
      />
    </p>
  )
}
