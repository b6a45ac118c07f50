/**
 * Compiles `linux.seccomp` into a BPF program for seccomp(2). Pure and deterministic: the same input gives
 * the same bytes, so a program may be made ahead of time.
 */
import * as Result from "effect/Result"
import {
  type Architecture,
  architectureOfMachine,
  architectures,
  isArchitecture
} from "./Architecture.ts"
import { assemble } from "./assemble.ts"
import { type BpfInstruction, encodeInstructions, maximumInstructions } from "./BpfInstruction.ts"
import { filterTree } from "./filterTree.ts"
import type { OciSeccomp } from "./OciSeccomp.ts"
import { SeccompError } from "./SeccompError.ts"
import { syscallIndex } from "./SyscallNumbers.ts"
import type { SyscallRule } from "./SyscallRules.ts"
import { isPermissive, verdict } from "./verdict.ts"

export interface SeccompFilter {
  readonly instructions: ReadonlyArray<BpfInstruction>
  /** The instructions as an array of `struct sock_filter`. */
  readonly bytes: Uint8Array
  /** For seccomp(2): SECCOMP_FILTER_FLAG_ LOG, SPEC_ALLOW, TSYNC. */
  readonly flags: ReadonlyArray<SeccompFlag>
  /** What the profile asks for and the filter does not do, a sentence each. */
  readonly warnings: ReadonlyArray<string>
}

export type SeccompFlag = "log" | "specAllow" | "tsync"

/**
 * `machine`: of uname(2); its own architecture belongs to every filter. A call of one that is not listed
 * kills its thread. Names that no architecture knows are left out with a warning.
 *
 * Where the default action forbids, calls with numbers beyond the newest that the profile names get ENOSYS
 * instead, as with runc: a program that tries a newer call and hears "not implemented" uses the older one.
 */
export const compile = (
  seccomp: OciSeccomp,
  machine: string
): Result.Result<SeccompFilter, SeccompError> =>
  Result.gen(function*() {
    const { rules, unknown } = yield* syscallRules(seccomp)
    yield* boundConditions(rules)
    const { flags, ignored } = yield* filterFlags(seccomp.flags)
    const instructions = assemble(filterTree({
      architectures: yield* listedArchitectures(seccomp, machine),
      rules,
      defaultVerdict: yield* verdict(seccomp.defaultAction, seccomp.defaultErrnoRet, "defaultAction"),
      newerIsNotImplemented: !isPermissive(seccomp.defaultAction)
    }))
    if (instructions === undefined) {
      const reason = `the filter would have more than the ${maximumInstructions} instructions that the kernel takes`
      return yield* refuse("syscalls", reason, fewer)
    }
    return {
      instructions,
      bytes: encodeInstructions(instructions),
      flags,
      warnings: [
        ...ignored,
        ...unknown.map((name) => `seccomp: ${name} ignored: no architecture has such a system call`)
      ]
    }
  })

const refuse = (
  object: string,
  reason: string,
  hint: string
): Result.Result<never, SeccompError> =>
  Result.fail(new SeccompError({ operation: "compile the seccomp filter", object, reason, hint }))

/** The machine's own architecture first: its calls are the frequent ones. */
const listedArchitectures = (
  seccomp: OciSeccomp,
  machine: string
): Result.Result<ReadonlyArray<Architecture>, SeccompError> => {
  const native = architectureOfMachine(machine)
  if (native === undefined) {
    return refuse(`machine ${machine}`, "no system call table", "run without a filter: seccomp=unconfined")
  }
  const listed = new Set<Architecture>([native])
  for (const name of seccomp.architectures ?? []) {
    if (!isArchitecture(name)) {
      return refuse("architectures", `${name} is not known`, `known are ${architectures.join(", ")}`)
    }
    listed.add(name)
  }
  return Result.succeed([...listed])
}

const fewer = "use fewer rules with args, or fewer architectures"

/**
 * How many conditions are worth a try: of all rules together, counted for each name, and of the rules about one
 * call. Well beyond what fits into a filter; they bound the work that a hostile profile can ask for.
 */
const conditionLimits = { all: 16_384, ofCall: 1024 }

const boundConditions = (
  rules: ReadonlyArray<SyscallRule>
): Result.Result<void, SeccompError> => {
  const ofCall = new Map<number, number>()
  let all = 0
  for (const { calls, args } of rules) {
    if (args.length === 0) continue
    all += calls.length * args.length
    for (const call of calls) ofCall.set(call, (ofCall.get(call) ?? 0) + args.length)
  }
  const most = Math.max(0, ...ofCall.values())
  if (all > conditionLimits.all) return refuse("syscalls", `${all} conditions, counted for each name`, fewer)
  return most > conditionLimits.ofCall
    ? refuse("syscalls", `${most} conditions for one system call`, fewer)
    : Result.succeed(undefined)
}

/** `unknown`: names that no architecture has. */
const syscallRules = (
  seccomp: OciSeccomp
): Result.Result<
  { readonly rules: ReadonlyArray<SyscallRule>; readonly unknown: ReadonlyArray<string> },
  SeccompError
> => {
  const rules: Array<SyscallRule> = []
  const unknown = new Set<string>()
  for (const [position, { names, action, errnoRet, args = [] }] of (seccomp.syscalls ?? []).entries()) {
    const value = verdict(action, errnoRet, `syscalls[${position}] (${names[0] ?? "no names"})`)
    if (Result.isFailure(value)) return Result.fail(value.failure)
    const calls: Array<number> = []
    for (const name of names) {
      const index = syscallIndex(name)
      if (index === undefined) unknown.add(name)
      else calls.push(index)
    }
    rules.push({ calls, verdict: value.success, args })
  }
  return Result.succeed({ rules, unknown: [...unknown] })
}

const flagNames = new Map<string, SeccompFlag>([
  ["SECCOMP_FILTER_FLAG_LOG", "log"],
  ["SECCOMP_FILTER_FLAG_SPEC_ALLOW", "specAllow"],
  ["SECCOMP_FILTER_FLAG_TSYNC", "tsync"]
])

/** Without the key, SPEC_ALLOW is set, as in runc and crun: else filters slow every program down. */
const filterFlags = (
  names: ReadonlyArray<string> | undefined
): Result.Result<
  { readonly flags: ReadonlyArray<SeccompFlag>; readonly ignored: ReadonlyArray<string> },
  SeccompError
> => {
  const flags = new Set<SeccompFlag>(names === undefined ? ["specAllow"] : [])
  const ignored: Array<string> = []
  for (const name of names ?? []) {
    const flag = flagNames.get(name)
    if (flag !== undefined) flags.add(flag)
    else if (name === "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV") {
      ignored.push(`seccomp: flag ${name} ignored: it is for filters with a listener only`)
    } else {
      return refuse("flags", `${name} is not known`, `known are ${[...flagNames.keys()].join(", ")}`)
    }
  }
  return Result.succeed({ flags: [...flags], ignored })
}
