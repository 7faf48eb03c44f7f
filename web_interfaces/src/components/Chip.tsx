import { Icon, type IconName } from './Icon.tsx'

export type Tone = 'ok' | 'waiting' | 'failed' | 'info' | 'plain'
const ICONS: Record<Tone, IconName> = {
  ok: 'done',
  waiting: 'clock',
  failed: 'warning',
  info: 'done',
  plain: 'none',
}

/** A state: colour, icon and word say the same. */
export function Chip({ tone, icon, children }: { tone: Tone; icon?: IconName; children: string }) {
  return (
    <span className={`chip ${tone}`}>
      <Icon name={icon ?? ICONS[tone]} />
      {children}
    </span>
  )
}
