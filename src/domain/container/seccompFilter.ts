/** The seccomp section of a spec as a filter for the kernel. */
import * as Result from "effect/Result"
import { compile, type SeccompFlag } from "../seccomp/compile.ts"
import { type OciSeccomp, ociSeccompJson } from "../seccomp/OciSeccomp.ts"
import { standardFilter } from "../seccomp/standardFilter.ts"

export interface LoadableFilter {
  /** struct sock_filter array */
  readonly filter: Uint8Array
  readonly flags: ReadonlyArray<SeccompFlag>
  /** What the profile asks for and the filter does not do. */
  readonly warnings: ReadonlyArray<string>
}

/** Filters of this process by the section they were made of: containers of one kind share it. */
const known = new WeakMap<OciSeccomp, LoadableFilter>()

const make = (seccomp: OciSeccomp, machine: string): Result.Result<LoadableFilter, string> => {
  const standard = standardFilter(machine, ociSeccompJson(seccomp))
  if (standard !== undefined) return Result.succeed({ filter: standard, flags: ["specAllow"], warnings: [] })
  return Result.map(
    Result.mapError(compile(seccomp, machine), (error) => error.message),
    ({ bytes, flags, warnings }) => ({ filter: bytes, flags, warnings })
  )
}

export const seccompFilter = (
  seccomp: OciSeccomp | undefined, machine: string
): Result.Result<LoadableFilter | undefined, string> => {
  if (seccomp === undefined) return Result.succeed(undefined)
  const cached = known.get(seccomp)
  if (cached !== undefined) return Result.succeed(cached)
  return Result.map(make(seccomp, machine), (filter) => {
    known.set(seccomp, filter)
    return filter
  })
}
