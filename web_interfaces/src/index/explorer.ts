/** Links to the block explorer that the operator configured. Pure. */

/** Only to web addresses: what an operator configures is not run as a script. */
export function explorerLink(explorer: string | null, hash: string): string | null {
  return explorer !== null && /^https?:\/\//.test(explorer) ? explorer.replace('{tx}', hash) : null
}
