const PATHS = {
  done: 'M4 10.500 8 14.500 16 5.500',
  waiting: 'M10 5v5l3 2',
  clock: 'M10 2.500a7.500 7.500 0 1 1 0 15 7.500 7.500 0 0 1 0-15ZM10 6v4l3 2',
  none: 'M5 10h10',
  back: 'M8 5 4 9l4 4M4 9h8a4 4 0 0 1 0 8H9',
  warning: 'M10 2.500 18.500 17h-17ZM10 8v4.500M10 14.500v.100',
  copy: 'M7 7V3.500h9.500V13H13M3.500 7H13v9.500H3.500Z',
  pause: 'M7 4v12M13 4v12',
  play: 'M6 4l10 6-10 6Z',
  close: 'M5 5l10 10M15 5 5 15',
} as const

export type IconName = keyof typeof PATHS

/** A drawing beside a word, never instead of one. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  )
}
