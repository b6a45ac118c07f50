/** The v1 devices controller: who may open which device (security/device_cgroup.c). */
import { current, type Draft, fail } from "../Draft.ts"
import { capability, requireCapability } from "../processes/credentials.ts"
import type { Cgroup } from "../World.ts"
import { type CgroupFiles, shown, store, valueOf } from "./CgroupFile.ts"
import { cgroupAt } from "./cgroupTree.ts"

interface Rule {
  readonly type: string
  readonly major: string
  readonly minor: string
  readonly access: string
}

const everything: Rule = { type: "a", major: "*", minor: "*", access: "rwm" }

const parse = (text: string): Rule => {
  if (/^a(\s|$)/.test(text)) return everything
  const match = /^([bc]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(text) ?? fail("EINVAL")
  const access = [..."rwm"].filter((letter) => match[4]!.includes(letter)).join("")
  return { type: match[1]!, major: match[2]!, minor: match[3]!, access }
}

const format = (rule: Rule): string => `${rule.type} ${rule.major}:${rule.minor} ${rule.access}`

const same = (one: Rule, other: Rule): boolean =>
  one.type === other.type && one.major === other.major && one.minor === other.minor

/** Rules that are exceptions to what the group does by default. */
const exceptions = (cgroup: Cgroup): ReadonlyArray<Rule> =>
  valueOf(cgroup, "devices.exceptions", "").split("\n").filter((line) => line !== "").map(parse)

const allowsAll = (cgroup: Cgroup): boolean =>
  valueOf(cgroup, "devices.default", "allow") === "allow"

const covers = (rule: Rule, wanted: Rule): boolean =>
  rule.type === wanted.type && (rule.major === "*" || rule.major === wanted.major) &&
  (rule.minor === "*" || rule.minor === wanted.minor) && [...wanted.access].every((letter) =>
    rule.access.includes(letter)
  )

/** Whether a cgroup lets a device be opened (or made, `m`). */
export const allowsDevice = (cgroup: Cgroup, wanted: Rule): boolean => {
  const found = exceptions(cgroup)
  return allowsAll(cgroup)
    ? !found.some((rule) =>
      [...wanted.access].some((letter) => covers(rule, { ...wanted, access: letter }))
    )
    : found.some((rule) => covers(rule, wanted))
}

const add = (rules: ReadonlyArray<Rule>, rule: Rule): ReadonlyArray<Rule> => {
  const before = rules.find((one) => same(one, rule))
  const access = [..."rwm"].filter((letter) =>
    rule.access.includes(letter) || before?.access.includes(letter)
  ).join("")
  return before === undefined
    ? [...rules, rule]
    : rules.map((one) => one === before ? { ...one, access } : one)
}

const subtract = (rules: ReadonlyArray<Rule>, rule: Rule): ReadonlyArray<Rule> =>
  rules.flatMap((one) => {
    if (!same(one, rule)) return [one]
    const access = [...one.access].filter((letter) => !rule.access.includes(letter)).join("")
    return access === "" ? [] : [{ ...one, access }]
  })

const save = (
  draft: Draft,
  cgroup: Cgroup,
  mode: "allow" | "deny",
  rules: ReadonlyArray<Rule>
): void => {
  store(draft, cgroup, "devices.default", mode)
  store(draft, cgroup, "devices.exceptions", rules.map((rule) => `${format(rule)}\n`).join(""))
}

const change = (allow: boolean) => (draft: Draft, cgroup: Cgroup, text: string): void => {
  requireCapability(draft, current(draft), capability.sysAdmin, draft.initial.user)
  const rule = parse(text)
  const parent = cgroup.parent === 0 ? undefined : cgroupAt(draft, cgroup.parent)
  if (rule.type === "a") {
    if (cgroup.children.keys.length > 0) fail("EINVAL")
    if (allow && parent !== undefined && !allowsAll(parent)) fail("EPERM")
    return save(draft, cgroup, allow ? "allow" : "deny", [])
  }
  if (allow && parent !== undefined && !allowsDevice(parent, rule)) fail("EPERM")
  const rules = exceptions(cgroup)
  // What agrees with the default takes an exception away
  save(
    draft,
    cgroup,
    allowsAll(cgroup) ? "allow" : "deny",
    allow === allowsAll(cgroup) ? subtract(rules, rule) : add(rules, rule)
  )
}

export const deviceFilesV1: CgroupFiles = {
  ...shown("devices.list", (_draft, cgroup) =>
    allowsAll(cgroup)
      ? "a *:* rwm\n"
      : exceptions(cgroup).map((rule) => `${format(rule)}\n`).join(""), true),
  "devices.allow": { root: true, write: change(true) },
  "devices.deny": { root: true, write: change(false) }
}
