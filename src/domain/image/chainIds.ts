/** Identity of stacks of layers (OCI image-spec, config.md, "Layer ChainID"): the same layers below give the same id. */
import type { Digest } from "./Digest.ts"

/**
 * The chain id of each layer with all below it, bottom first, one per diffID. `hash` gives the sha256 digest of a text:
 * ChainID(L0) = L0, ChainID(L0|…|Ln) = hash(ChainID(L0|…|Ln-1) + " " + Ln).
 */
export const chainIds = (
  diffIds: ReadonlyArray<Digest>, hash: (text: string) => Digest
): ReadonlyArray<Digest> => {
  const chain: Array<Digest> = []
  for (const diffId of diffIds) {
    const below = chain.at(-1)
    chain.push(below === undefined ? diffId : hash(`${below} ${diffId}`))
  }
  return chain
}
