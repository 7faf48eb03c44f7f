/** `#/outlet/1/camera/3` in the address bar. Pure. */

export interface Place {
  outlet: number
  /** Null shows all of the outlet's cameras. */
  camera: number | null
}

export function parsePlace(hash: string): Place | null {
  const match = /^#\/outlet\/(\d{1,15})(?:\/camera\/(\d{1,6}))?$/.exec(hash)
  return (
    match && { outlet: Number(match[1]), camera: match[2] === undefined ? null : Number(match[2]) }
  )
}

export function placeRoute({ outlet, camera }: Place): string {
  return camera === null ? `#/outlet/${outlet}` : `#/outlet/${outlet}/camera/${camera}`
}
