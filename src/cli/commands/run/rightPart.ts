/** Rights of a container as `run` asks for them: capabilities, security options, sysctls. */
import * as Result from "effect/Result"
import { normalizeCapability } from "../../../domain/container/Capability.ts"
import type { ContainerConfig } from "../../../domain/container/ContainerConfig.ts"
import { parseSecurityOption, type SecurityOption } from "../../../domain/text/flags/SecurityOption.ts"
import { explained, type Refusal } from "./processPart.ts"
import type { ContainerValues, RunInput } from "./RunInput.ts"

type Security = Pick<ContainerConfig, "noNewPrivileges" | "seccomp" | "confineSystemPaths" | "securityOptions">

const plain: Security = { noNewPrivileges: false, seccomp: "default", confineSystemPaths: true, securityOptions: [] }

/** The JSON of a profile, compact as docker sends it. */
const readProfile = (path: string, input: RunInput): Result.Result<string, Refusal> =>
  Result.try({
    try: () => JSON.stringify(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(input.files.get(path)))),
    catch: (fault) => `compacting json for seccomp profile (${path}) failed: ${(fault as Error).message}`
  })

/** Put into the settings; what is not there yet is refused, what asks for nothing is fine. */
const apply = (before: Security, option: SecurityOption, input: RunInput): Result.Result<Security, Refusal> => {
  switch (option._tag) {
    case "NoNewPrivileges":
      return Result.succeed({ ...before, noNewPrivileges: option.enabled })
    case "UnconfinedSystemPaths":
      return Result.succeed({ ...before, confineSystemPaths: false })
    case "Seccomp":
      if (option.profile === "unconfined") return Result.succeed({ ...before, seccomp: "unconfined" })
      if (option.profile === "builtin") return Result.succeed({ ...before, seccomp: "default" })
      return Result.map(readProfile(option.profile, input), (seccomp) => ({ ...before, seccomp }))
    case "AppArmor":
      return option.profile === "unconfined"
        ? Result.succeed(before)
        : Result.fail(
          `the AppArmor profile ${option.profile} cannot be used: ` +
            "AppArmor is not supported yet, use apparmor=unconfined"
        )
    case "Label":
      return option.value === "disable"
        ? Result.succeed(before)
        : Result.fail(
          `the SELinux label ${option.value} cannot be used: SELinux is not supported yet, use label=disable`
        )
    case "WritableCgroups":
      return option.enabled
        ? Result.fail("writable-cgroups is not supported yet: leave it out")
        : Result.succeed(before)
  }
}

/** As `inspect` shows it: a profile by its JSON; the system paths have a field of their own. */
const shown = (text: string, option: SecurityOption, after: Security): ReadonlyArray<string> =>
  option._tag === "UnconfinedSystemPaths"
    ? []
    : option._tag === "Seccomp" && after.seccomp.startsWith("{") ? [`seccomp=${after.seccomp}`] : [text]

const securityOf = (
  values: ContainerValues, input: RunInput
): Result.Result<Security, Refusal> => Result.gen(function*() {
  let security = plain
  for (const text of values["security-opt"]) {
    const option = yield* explained(parseSecurityOption(text))
    const after = yield* apply(security, option, input)
    security = { ...after, securityOptions: [...security.securityOptions, ...shown(text, option, after)] }
  }
  return security
})

const all = "ALL"

const capabilityNames = (names: ReadonlyArray<string>): ReadonlyArray<string> => {
  const full = names.map((name) => normalizeCapability(name.trim()))
  return full.includes(all) ? [all] : [...new Set(full)].sort()
}

/** Full names in order; ALL stands for all, and what is added is not dropped (docker/cli, opts/capabilities.go). */
const capabilitiesOf = (values: ContainerValues): Pick<ContainerConfig, "capAdd" | "capDrop"> => {
  const capAdd = capabilityNames(values["cap-add"])
  return { capAdd, capDrop: capabilityNames(values["cap-drop"]).filter((name) => !capAdd.includes(name)) }
}

export const rightPart = (values: ContainerValues, input: RunInput) => Result.gen(function*() {
  return {
    privileged: values.privileged,
    ...capabilitiesOf(values),
    ...(yield* securityOf(values, input)),
    sysctls: Object.fromEntries(values.sysctl.map(({ key, value }) => [key, value]))
  }
})
