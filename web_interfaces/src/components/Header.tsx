import type { NetworkOverview } from 'hotpot-client'
import brand from '../shared/brand.svg'
import { formatCount } from '../shared/format.ts'
import { arrowsBehind, blocksBehind } from '../shared/freshness.ts'
import { useWords } from '../shared/hooks.ts'
import { LANGUAGES, type Language } from '../shared/i18n.ts'
import { Chip } from './Chip.tsx'

const LANGUAGE_NAMES: Record<Language, string> = { ka: 'ქართული', ru: 'Русский', en: 'English' }
const LANGUAGE_TAGS: Record<Language, string> = { ka: 'ქარ', ru: 'RU', en: 'EN' }

/** Brand, network and language: the same on every page; guests are not told about the network. */
export function Header({
  network,
  onLanguage,
}: {
  network?: NetworkOverview | null
  onLanguage: (language: Language) => void
}) {
  const { t } = useWords()
  return (
    <header className="header">
      {/* biome-ignore lint/a11y/useValidAnchor: a skip link leads to a place on the page, so it is a link. */}
      <a className="skip" href="#main" onClick={focusMain}>
        {t('header.skip')}
      </a>
      <div className="header-row">
        <h1 className="brand">
          <img src={brand} alt="" width="32" height="32" />
          The Hot Pot Spot
        </h1>
        {network !== undefined && <NetworkPill network={network} />}
        <LanguageSwitch onLanguage={onLanguage} />
      </div>
    </header>
  )
}

/** A plain link would change the address, and that names the sale. */
function focusMain(event: { preventDefault(): void }) {
  event.preventDefault()
  document.getElementById('main')?.focus()
}

function NetworkPill({ network }: { network: NetworkOverview | null }) {
  const { t, language } = useWords()
  if (network === null) return <p className="pill skeleton">{t('header.network')}</p>
  const height = network.sidechain?.height ?? network.as_of.height
  return (
    <p className="pill" data-testid="network">
      <span>
        {t('header.sidechain')} <b>{formatCount(height, language)}</b>
      </span>
      <span>
        EVM <b>{formatCount(network.evm.block, language)}</b>
      </span>
      <StepChip network={network} />
    </p>
  )
}

function StepChip({ network }: { network: NetworkOverview }) {
  const { t, language } = useWords()
  const behind = blocksBehind(network)
  const parts = network.away.map((part) => t(`part.${part}`)).join(', ')
  if (parts) return <Chip tone="failed">{t('header.away', { parts })}</Chip>
  if (behind === null) return <Chip tone="failed">{t('header.no_node')}</Chip>
  if (!network.sidechain?.ready) return <Chip tone="waiting">{t('header.not_ready')}</Chip>
  if (behind > 0)
    return (
      <Chip tone="waiting">{t('header.behind', { blocks: formatCount(behind, language) })}</Chip>
    )
  const arrows = arrowsBehind(network)
    .map((arrow) => t(`arrow.${arrow}`))
    .join(', ')
  if (arrows) return <Chip tone="waiting">{t('header.late', { arrows })}</Chip>
  return <Chip tone="ok">{t('header.in_step')}</Chip>
}

function LanguageSwitch({ onLanguage }: { onLanguage: (language: Language) => void }) {
  const { t, language } = useWords()
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset groups the fields of a form; these are buttons of the page.
    <div className="languages" role="group" aria-label={t('header.language')}>
      {LANGUAGES.map((one) => (
        <button
          key={one}
          type="button"
          lang={one}
          aria-pressed={one === language}
          aria-label={`${LANGUAGE_TAGS[one]}, ${LANGUAGE_NAMES[one]}`}
          onClick={() => onLanguage(one)}
        >
          {LANGUAGE_TAGS[one]}
        </button>
      ))}
    </div>
  )
}
