/** `--security-opt` (docker/cli, cli/command/container/opts.go; moby, daemon/daemon_unix.go). */
import * as Result from "effect/Result"
import { refuse, type TextError } from "../TextError.ts"
import { readBoolean } from "./readBoolean.ts"

export type SecurityOption =
  | { readonly _tag: "NoNewPrivileges"; readonly enabled: boolean }
  /** `profile` is `unconfined`, `builtin` or the path of a JSON file. */
  | { readonly _tag: "Seccomp"; readonly profile: string }
  | { readonly _tag: "AppArmor"; readonly profile: string }
  /** An SELinux label part such as `type:container_t`, or `disable`. */
  | { readonly _tag: "Label"; readonly value: string }
  /** No masked and no read-only paths. */
  | { readonly _tag: "UnconfinedSystemPaths" }
  | { readonly _tag: "WritableCgroups"; readonly enabled: boolean }

const optionOf = (key: string, value: string): SecurityOption | undefined => {
  const enabled = readBoolean(value)
  switch (key) {
    case "no-new-privileges": return enabled === undefined ? undefined : { _tag: "NoNewPrivileges", enabled }
    case "writable-cgroups": return enabled === undefined ? undefined : { _tag: "WritableCgroups", enabled }
    case "seccomp": return { _tag: "Seccomp", profile: value }
    case "apparmor": return { _tag: "AppArmor", profile: value }
    case "label": return { _tag: "Label", value }
    case "systempaths": return value === "unconfined" ? { _tag: "UnconfinedSystemPaths" } : undefined
    default: return undefined
  }
}

/** `KEY=VALUE`, the older `KEY:VALUE`, or `no-new-privileges` alone. */
export const parseSecurityOption = (text: string): Result.Result<SecurityOption, TextError> => {
  if (text === "no-new-privileges") return Result.succeed({ _tag: "NoNewPrivileges", enabled: true })
  const split = text.includes("=") ? text.indexOf("=") : text.indexOf(":")
  const value = text.slice(split + 1)
  const option = split <= 0 || value === "" ? undefined : optionOf(text.slice(0, split), value)
  return option === undefined
    ? refuse(
      "parse security option", text, `Invalid --security-opt: ${JSON.stringify(text)}`,
      "use no-new-privileges, seccomp=FILE|unconfined|builtin, systempaths=unconfined, apparmor=PROFILE, " +
        "label=LABEL or writable-cgroups=true|false"
    )
    : Result.succeed(option)
}
