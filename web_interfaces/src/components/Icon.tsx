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
  camera: 'M2.500 6h10v9h-10ZM12.500 9.500l5-3v8l-5-3',
  erase: 'M4 6h12M8 6V3.500h4V6M5.500 6l1 11h7l1-11',
  lock: 'M5 9.500h10v7H5ZM7 9.500V6.500a3 3 0 0 1 6 0v3',
  close: 'M5 5l10 10M15 5 5 15',
} as const

export type IconName = keyof typeof PATHS

/** A drawing beside a word, never instead of one. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg
      className="icon"
      viewBox="0 0 20 20"
      width="16"
      height="16"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  )
}
