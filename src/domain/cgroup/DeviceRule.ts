/** One rule about access to device nodes, as in OCI's `linux.resources.devices`, and what it speaks of. */
import * as Schema from "effect/Schema"

/** dev_t has 12 bits for the major and 20 for the minor number (linux/kdev_t.h). */
export const maximumMajor = 4095
export const maximumMinor = 1_048_575

/** Fourteen instructions a rule at most: then a program fits in the 4096 of kernels before 5.2. */
export const maximumRules = 256

/** -1 is a wildcard, as runc takes it. */
const number = (maximum: number) =>
  Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: -1, maximum })))

export const DeviceRule = Schema.Struct({
  allow: Schema.Boolean,
  /** `b`lock, `c`haracter, `a`ll (the default). */
  type: Schema.optionalKey(Schema.Literals(["a", "b", "c"])),
  /** Absent: all. */
  major: number(maximumMajor),
  minor: number(maximumMinor),
  /** Of `r`ead, `w`rite and `m`knod; absent: all three. */
  access: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^[rwm]{0,3}$/)))
})
export type DeviceRule = typeof DeviceRule.Type

/** BPF_DEVCG_ACC_* of linux/bpf.h. */
export const accessBits = { m: 1, r: 2, w: 4 } as const
export const allAccess = 7

/** Device nodes of one type: the unit that the kernel compares. */
export interface DeviceSet {
  readonly type: "b" | "c"
  /** undefined: all. */
  readonly major: number | undefined
  readonly minor: number | undefined
}

/** A rule with all defaults filled in. */
export interface ResolvedRule extends Omit<DeviceSet, "type"> {
  readonly allow: boolean
  readonly type: "a" | "b" | "c"
  /** Bits of `accessBits`. */
  readonly access: number
}

const wildcard = (value: number | undefined) => value === undefined || value < 0 ? undefined : value

export const resolveRule = (rule: DeviceRule): ResolvedRule => ({
  allow: rule.allow,
  type: rule.type ?? "a",
  major: wildcard(rule.major),
  minor: wildcard(rule.minor),
  access: rule.access === undefined || rule.access === ""
    ? allAccess
    : [...rule.access].reduce((bits, letter) => bits | accessBits[letter as keyof typeof accessBits], 0)
})

/** `rwm` for 7. */
export const accessText = (access: number): string =>
  (["r", "w", "m"] as const).filter((letter) => (access & accessBits[letter]) !== 0).join("")

/** Every device, every access: nothing said before matters any more. */
export const isTotal = (rule: ResolvedRule): boolean =>
  rule.type === "a" && rule.major === undefined && rule.minor === undefined && rule.access === allAccess

const numberCovers = (wide: number | undefined, narrow: number | undefined) => wide === undefined || wide === narrow

/** Whether all of `narrow` is in `wide`. */
export const covers = (
  wide: Omit<ResolvedRule, "allow" | "access">, narrow: Omit<ResolvedRule, "allow" | "access">
): boolean =>
  (wide.type === "a" || wide.type === narrow.type) && numberCovers(wide.major, narrow.major) &&
  numberCovers(wide.minor, narrow.minor)

/**
 * The rules that still matter: from the last total one on, without those whose every access a later rule
 * decides. Same meaning, same order.
 */
export const liveRules = (rules: ReadonlyArray<DeviceRule>): ReadonlyArray<ResolvedRule> => {
  const resolved = rules.map(resolveRule)
  const from = Math.max(0, resolved.findLastIndex(isTotal))
  return resolved.slice(from).filter((rule, index, all) =>
    !all.slice(index + 1).some((later) => covers(later, rule) && (later.access & rule.access) === rule.access)
  )
}

/**
 * What the rules mean: each bit of an access is decided by the last rule that speaks of it, and denied where
 * none does; the access is allowed if every bit is. To ask for no bit (access(2) with F_OK) is allowed where
 * any bit would be.
 */
export const isAllowed = (
  rules: ReadonlyArray<DeviceRule>,
  access: { readonly type: "b" | "c"; readonly major: number; readonly minor: number; readonly access: number }
): boolean => {
  const resolved = rules.map(resolveRule)
  const bitAllowed = (bit: number) =>
    resolved.findLast((rule) => (rule.access & bit) !== 0 && covers(rule, access))?.allow ?? false
  const bits = Object.values(accessBits)
  return access.access === 0
    ? bits.some(bitAllowed)
    : bits.filter((bit) => (access.access & bit) !== 0).every(bitAllowed)
}
