import { type FormEvent, useState } from 'react'
import { useWords } from '../shared/hooks.ts'
import { tableOf } from './codes.ts'

/** For who came without the code on the table. */
export function TableForm() {
  const { t } = useWords()
  const [outlet, setOutlet] = useState('')
  const [camera, setCamera] = useState('')
  const [refused, setRefused] = useState(false)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const table = tableOf(outlet, camera)
    setRefused(table === null)
    if (table !== null) location.search = `?outlet=${table.outlet}&camera=${table.camera}`
  }
  return (
    <form
      className="card table"
      aria-labelledby="table-title"
      onSubmit={submit}
      noValidate
      data-testid="table-form"
    >
      <h2 id="table-title">{t('consent.which')}</h2>
      <p>{t('consent.which.hint')}</p>
      <div className="fields">
        <Field
          id="outlet"
          label={t('search.outlet')}
          value={outlet}
          onChange={setOutlet}
          refused={refused}
        />
        <Field
          id="camera"
          label={t('consent.camera')}
          value={camera}
          onChange={setCamera}
          refused={refused}
        />
        <button type="submit" className="button">
          {t('search.show')}
        </button>
      </div>
      <p
        id="table-help"
        className={refused ? 'refused' : 'hint'}
        role={refused ? 'alert' : undefined}
      >
        {t(refused ? 'consent.which.refused' : 'consent.which.help')}
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
}

function Field({ id, label, value, onChange, refused }: FieldProps) {
  return (
    <p className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        inputMode="numeric"
        autoComplete="off"
        aria-invalid={refused}
        aria-describedby="table-help"
      />
    </p>
  )
}
