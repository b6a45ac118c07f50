/** The seccomp section of a spec as a filter for the kernel; the default filter is compiled once per process. */
import * as Result from "effect/Result"
import { type OciSeccomp, ociSeccompJson } from "../seccomp/OciSeccomp.ts"
import { compile } from "../seccomp/compile.ts"
import type { PlanContext } from "./plan.ts"

type Compiled = NonNullable<PlanContext["seccomp"]>

/** Filters of this process by their source: containers of one kind share it. Bounded. */
const known = new Map<string, Compiled>()
const knownLimit = 16

export const seccompFilter = (
  seccomp: OciSeccomp | undefined, machine: string
): Result.Result<Compiled | undefined, string> => {
  if (seccomp === undefined) return Result.succeed(undefined)
  const key = machine + ociSeccompJson(seccomp)
  const cached = known.get(key)
  if (cached !== undefined) return Result.succeed(cached)
  return Result.map(Result.mapError(compile(seccomp, machine), (error) => error.message), (filter) => {
    const compiled = { filter: filter.bytes, flags: filter.flags }
    if (known.size >= knownLimit) known.clear()
    known.set(key, compiled)
    return compiled
  })
}
