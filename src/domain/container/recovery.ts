/** The pure half of recovery: which leftovers belong to no record, and the operations that remove them. */
import { type KernelOp, op } from "../kernel/KernelOp.ts"
import * as Paths from "./Paths.ts"

export interface Leftovers {
  readonly operations: ReadonlyArray<KernelOp>
  readonly sentences: ReadonlyArray<string>
}

/** Only names of this form are ours to remove. */
export const isId = (name: string): boolean => /^[0-9a-f]{64}$/.test(name)

export const orphans = (seen: {
  readonly paths: Paths.Paths
  /** Ids of all records. */
  readonly known: ReadonlySet<string>
  /** Names in the directory of runs, and in the directory of containers. */
  readonly runs: ReadonlyArray<string>
  readonly durable: ReadonlyArray<string>
  /** Names under this engine's cgroup parent, a hierarchy each. */
  readonly cgroups: ReadonlyArray<{ readonly hierarchy: string; readonly version: 1 | 2; readonly names: ReadonlyArray<string> }>
}): Leftovers => {
  const unknown = (names: ReadonlyArray<string>) => names.filter((name) => isId(name) && !seen.known.has(name))
  const runs = unknown(seen.runs)
  const durable = unknown(seen.durable)
  const cgroups = seen.cgroups.flatMap(({ hierarchy, names, version }) =>
    unknown(names).map((name) => ({ name, directory: `${hierarchy}/${name}`, version })))
  const ids = new Set([...runs, ...durable, ...cgroups.map(({ name }) => name)])
  return {
    operations: [
      ...runs.map((id) => op("TreeRemove", { path: Paths.runDirectory(seen.paths, id) })),
      // Killed wherever one can kill: with cgroup2 once, otherwise in each hierarchy
      ...cgroups.map(({ directory, version }) => op("CgroupKill", { directory, version })),
      ...cgroups.map(({ directory, version }) => op("CgroupRemove", { directory, kill: version })),
      ...durable.map((id) => op("TreeRemove", { path: Paths.containerDirectory(seen.paths, id) }))
    ],
    sentences: [...ids].map((id) => `removed what was left of the unknown container ${id.slice(0, 12)}`)
  }
}
