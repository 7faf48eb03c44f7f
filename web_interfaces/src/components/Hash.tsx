import { useEffect, useState } from 'react'
import { shorten } from '../shared/format.ts'
import { useWords } from '../shared/hooks.ts'
import { Icon } from './Icon.tsx'

const COPIED_MS = 1_500

/** A long hash: its ends are shown, all of it is in the title and goes to the clipboard. */
export function Hash({ value, what }: { value: string; what: string }) {
  return (
    <span className="hash">
      <code title={value}>{shorten(value)}</code>
      <CopyButton value={value} what={what} />
    </span>
  )
}

export function CopyButton({ value, what }: { value: string; what: string }) {
  const { t } = useWords()
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), COPIED_MS)
    return () => clearTimeout(timer)
  }, [copied])
  return (
    <button
      type="button"
      className={copied ? 'copy copied' : 'copy'}
      aria-label={copied ? t('copy.done') : t('copy.what', { what })}
      onClick={async () => setCopied(await copy(value))}
    >
      <Icon name={copied ? 'done' : 'copy'} />
    </button>
  )
}

/** Browsers give the clipboard to https and localhost only; elsewhere the old way still works. */
async function copy(text: string): Promise<boolean> {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    )
  }
  const field = document.createElement('textarea')
  field.value = text
  document.body.append(field)
  field.select()
  const copied = document.execCommand('copy')
  field.remove()
  return copied
}
