/** A container's device rules: what every container may use, what was mapped in, and what the user added. */
import * as Result from "effect/Result"
import {
  accessText, type DeviceRule, maximumMajor, maximumMinor, maximumRules, type ResolvedRule
} from "./DeviceRule.ts"
import type { Resources } from "./Resources.ts"

const character = (major: number, minor?: number, access = "rwm"): DeviceRule =>
  ({ allow: true, type: "c", major, ...(minor === undefined ? {} : { minor }), access })

/**
 * What Docker's containers may use (moby oci/defaults.go together with runc's built-in list): any node may be
 * made, and these opened. /dev/console is the container's own pseudo-terminal, so 5:1 does no harm.
 */
export const defaultRules: ReadonlyArray<DeviceRule> = [
  { allow: false, type: "a", access: "rwm" },
  { allow: true, type: "c", access: "m" },
  { allow: true, type: "b", access: "m" },
  character(1, 3), // null
  character(1, 5), // zero
  character(1, 7), // full
  character(1, 8), // random
  character(1, 9), // urandom
  character(5, 0), // tty
  character(5, 1), // console
  character(5, 2), // ptmx
  character(136), // pts/*
  character(10, 200) // net/tun: useless without CAP_NET_ADMIN, and runc's users missed it when it was gone
]

/** `--device-cgroup-rule "c 42:* rmw"`: the form of devices.allow (cgroup-v1/devices.rst). */
export const parseDeviceRule = (text: string): Result.Result<DeviceRule, string> => {
  const fail = (reason: string) =>
    Result.fail(
      `device cgroup rule ${JSON.stringify(text.slice(0, 100))}: ${reason}; ` +
        `write type, numbers and access, e.g. "c 42:* rmw"`
    )
  const found = /^([abc]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/.exec(text)
  if (found === null) return fail("it is not of the form TYPE MAJOR:MINOR ACCESS")
  const [, type, major, minor, access] = found as unknown as [string, "a" | "b" | "c", string, string, string]
  if (new Set(access).size !== access.length) return fail(`${access} names an access twice`)
  if (major !== "*" && Number(major) > maximumMajor) return fail(`the largest major number is ${maximumMajor}`)
  if (minor !== "*" && Number(minor) > maximumMinor) return fail(`the largest minor number is ${maximumMinor}`)
  return Result.succeed({
    allow: true, type, access,
    ...(major === "*" ? {} : { major: Number(major) }),
    ...(minor === "*" ? {} : { minor: Number(minor) })
  })
}

/**
 * All rules of an unprivileged container. `mapped`: of `--device`; `rules`: texts of `--device-cgroup-rule`.
 * Fails with a message about the text at fault.
 */
export const deviceRules = (wanted: {
  readonly mapped: ReadonlyArray<DeviceRule>
  readonly rules: ReadonlyArray<string>
}): Result.Result<NonNullable<Resources["devices"]>, string> => {
  const parsed = Result.all(wanted.rules.map(parseDeviceRule))
  if (Result.isFailure(parsed)) return Result.fail(parsed.failure)
  const all = [...defaultRules, ...wanted.mapped, ...parsed.success]
  return all.length > maximumRules
    ? Result.fail(`${all.length} device rules are more than the ${maximumRules} that a container can have`)
    : Result.succeed(all)
}

/** `c 1:3 rwm` */
export const formatDevices = (rule: Omit<ResolvedRule, "allow">): string =>
  `${rule.type} ${rule.major ?? "*"}:${rule.minor ?? "*"} ${accessText(rule.access)}`
