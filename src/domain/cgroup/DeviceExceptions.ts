/**
 * Device rules on v1: the kernel keeps a default and a list of exceptions from it, which is less than a list
 * of rules can say (security/device_cgroup.c, cgroup-v1/devices.rst). What fits is written, the rest refused.
 */
import * as Result from "effect/Result"
import { covers, type DeviceRule, type DeviceSet, isTotal, liveRules, type ResolvedRule } from "./DeviceRule.ts"
import { formatDevices } from "./DeviceRules.ts"

export interface Exception extends DeviceSet {
  /** Bits: allowed where the default is to deny, denied where it is to allow. */
  readonly access: number
}

export interface ExceptionList {
  readonly allowByDefault: boolean
  readonly exceptions: ReadonlyArray<Exception>
}

const meet = (one: number | undefined, other: number | undefined): number | undefined | "none" =>
  one === undefined || one === other ? other : other === undefined ? one : "none"

/** The devices in both, if any. */
const intersection = (one: DeviceSet, other: DeviceSet): DeviceSet | undefined => {
  const major = meet(one.major, other.major)
  const minor = meet(one.minor, other.minor)
  return one.type !== other.type || major === "none" || minor === "none"
    ? undefined
    : { type: one.type, major, minor }
}

const same = (one: DeviceSet, other: DeviceSet): boolean => covers(one, other) && covers(other, one)

const add = (list: ReadonlyArray<Exception>, added: Exception): ReadonlyArray<Exception> =>
  list.some((one) => same(one, added))
    ? list.map((one) => same(one, added) ? { ...one, access: one.access | added.access } : one)
    : [...list, added]

/** Takes access away from what lies within `removed`; undefined when only a part of an exception does. */
const remove = (list: ReadonlyArray<Exception>, removed: Exception): ReadonlyArray<Exception> | Exception => {
  const pierced = list.find((one) =>
    (one.access & removed.access) !== 0 && intersection(one, removed) !== undefined && !covers(removed, one)
  )
  if (pierced !== undefined) return pierced
  return list
    .map((one) => covers(removed, one) ? { ...one, access: one.access & ~removed.access } : one)
    .filter((one) => one.access !== 0)
}

const sets = (rule: ResolvedRule): ReadonlyArray<Exception> =>
  (rule.type === "a" ? ["c", "b"] as const : [rule.type]).map((type) =>
    ({ type, major: rule.major, minor: rule.minor, access: rule.access })
  )

/**
 * The kernel wants one exception that allows all of an access: `r` from one and `w` from another do not make
 * `rw`. So wherever two overlap, a third with the access of both is added for what they share.
 */
const completed = (exceptions: ReadonlyArray<Exception>): ReadonlyArray<Exception> => {
  let list = exceptions
  for (let at = 0; at < list.length; at++) {
    for (let before = 0; before < at; before++) {
      const one = list[at]!
      const other = list[before]!
      const shared = intersection(one, other)
      const access = one.access | other.access
      if (shared === undefined) continue
      const had = list.some((each) => covers(each, shared) && (each.access & access) === access)
      if (!had) list = add(list, { ...shared, access })
    }
  }
  return list
}

/** Fails with the reason when a rule makes a hole in what an earlier one gave or took. */
export const exceptionList = (rules: ReadonlyArray<DeviceRule>): Result.Result<ExceptionList, string> => {
  let allowByDefault = false
  let exceptions: ReadonlyArray<Exception> = []
  for (const rule of liveRules(rules)) {
    if (isTotal(rule)) {
      allowByDefault = rule.allow
      exceptions = []
      continue
    }
    for (const set of sets(rule)) {
      if (rule.allow !== allowByDefault) {
        exceptions = add(exceptions, set)
        continue
      }
      const left = remove(exceptions, set)
      if ("type" in left) {
        const verb = rule.allow ? "allow" : "deny"
        return Result.fail(
          `v1 control groups cannot ${verb} ${formatDevices(set)} out of the wider ${formatDevices(left)}`
        )
      }
      exceptions = left
    }
  }
  return Result.succeed({ allowByDefault, exceptions: allowByDefault ? exceptions : completed(exceptions) })
}

/**
 * Writes for a fresh directory, in order: the default, then the exceptions. Between them a process in the
 * directory would be without its devices: for a running container this is not.
 */
export const exceptionWrites = (
  list: ExceptionList
): ReadonlyArray<{ readonly file: "devices.allow" | "devices.deny"; readonly value: string }> => {
  const [first, then] = list.allowByDefault
    ? ["devices.allow", "devices.deny"] as const
    : ["devices.deny", "devices.allow"] as const
  return [
    { file: first, value: "a" },
    ...list.exceptions.map((exception) => ({ file: then, value: formatDevices(exception) }))
  ]
}
