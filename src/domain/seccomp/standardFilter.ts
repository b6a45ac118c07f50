/**
 * The filter that nearly every container has, compiled beforehand: Docker's default profile with its default
 * capabilities. Compiling it takes a cold process longer than everything else it plans.
 */
import { standardFilters } from "./data/standardFilters.ts"

/** FNV-1a over UTF-16 units from two offsets: 64 bits by which a text is known again. */
const fingerprint = (text: string): string => {
  let low = 0x811c9dc5
  let high = 0x050c5d1f
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    low = Math.imul(low ^ unit, 0x01000193)
    high = Math.imul(high ^ unit, 0x01000197)
  }
  return `${text.length}:${(low >>> 0).toString(16)}:${(high >>> 0).toString(16)}`
}

/** By which a compiled filter is found: what was compiled, and for which machine. */
export const filterKey = (machine: string, seccompJson: string): string => `${machine}:${fingerprint(seccompJson)}`

/** Bytes of the filter for `seccompJson` (as ociSeccompJson prints it), if it is one of those made beforehand. */
export const standardFilter = (machine: string, seccompJson: string): Uint8Array | undefined => {
  const encoded = standardFilters[filterKey(machine, seccompJson)]
  return encoded === undefined ? undefined : Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0))
}
