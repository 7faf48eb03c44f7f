/** `#/sale/1/00…05` in the address bar. Pure. */

export interface SaleKey {
  outlet: number
  saleId: string
}

/** The sale that an address names, if it names one. */
export function parseRoute(hash: string): SaleKey | null {
  const match = /^#\/sale\/([^/]+)\/([^/]+)$/.exec(hash)
  return match ? parseSaleKey(match[1] ?? '', match[2] ?? '') : null
}

export function saleRoute(key: SaleKey): string {
  return `#/sale/${key.outlet}/${key.saleId}`
}

/** What people type: ids with dashes as UUIDs are written, capitals, blanks around. */
export function parseSaleKey(outlet: string, saleId: string): SaleKey | null {
  const number = outlet.trim()
  const id = saleId.trim().replaceAll('-', '').replace(/^0x/i, '').toLowerCase()
  if (!/^\d{1,15}$/.test(number) || !/^[0-9a-f]{32}$/.test(id)) return null
  return { outlet: Number(number), saleId: id }
}
