/** `--platform OS[/ARCHITECTURE[/VARIANT]]` (containerd/platforms). */
import * as Result from "effect/Result"
import { refuse, type TextError } from "../TextError.ts"

export interface Platform {
  readonly os: string
  readonly architecture: string
  /** "" where the architecture has none or it is the default one. */
  readonly variant: string
}

const operation = "parse platform"
const cure = "write OS/ARCHITECTURE[/VARIANT], such as linux/amd64 or linux/arm/v7"

const systems = (
  "aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris windows zos"
).split(" ")

const architectures = (
  "386 amd64 amd64p32 arm armbe arm64 arm64be ppc64 ppc64le loong64 mips mipsle mips64 mips64le mips64p32 " +
  "mips64p32le ppc riscv riscv64 s390 s390x sparc sparc64 wasm"
).split(" ")

/** Operating systems in lower case, `macos` by its name in Go. */
export const normalizeSystem = (os: string): string => {
  const lower = os.toLowerCase()
  return lower === "macos" ? "darwin" : lower
}

/** Other spellings of an architecture, and variants that say nothing new. */
export const normalizeArchitecture = (
  given: string, givenVariant: string
): { readonly architecture: string; readonly variant: string } => {
  const architecture = given.toLowerCase()
  const variant = givenVariant.toLowerCase()
  switch (architecture) {
    case "i386": return { architecture: "386", variant: "" }
    case "x86_64": case "x86-64": case "amd64":
      return { architecture: "amd64", variant: variant === "v1" ? "" : variant }
    case "aarch64": case "arm64":
      return { architecture: "arm64", variant: variant === "8" || variant === "v8" ? "" : variant }
    case "armhf": return { architecture: "arm", variant: "v7" }
    case "armel": return { architecture: "arm", variant: "v6" }
    case "arm":
      if (variant === "") return { architecture, variant: "v7" }
      return { architecture, variant: /^[5-8]$/.test(variant) ? `v${variant}` : variant }
    default: return { architecture, variant }
  }
}

/** What is left out is the host's. */
export const parsePlatform = (
  text: string, host: { readonly os: string; readonly architecture: string }
): Result.Result<Platform, TextError> => {
  const fail = (cause: string) =>
    refuse(operation, text, `error parsing specified platform: ${cause}: invalid argument`, cure)
  const quoted = JSON.stringify(text)
  if (text.includes("*")) return fail(`${quoted}: wildcards not yet supported`)
  const parts = text.split("/", 4)
  const wrong = parts.find((part, index) => !(index === 0 ? /^[A-Za-z0-9_-]+$/ : /^[A-Za-z0-9_.-]+$/).test(part))
  if (wrong !== undefined) return fail(`${JSON.stringify(wrong)} is an invalid component of ${quoted}`)
  if (parts.length > 3) return fail(`${quoted}: cannot parse platform specifier`)
  const [first = "", second, third = ""] = parts
  if (second === undefined) {
    const os = normalizeSystem(first)
    if (systems.includes(os)) return Result.succeed({ os, architecture: host.architecture, variant: "" })
    const { architecture, variant } = normalizeArchitecture(first, "")
    const kept = architecture === "arm" && variant === "v7" ? "" : variant
    return architectures.includes(architecture)
      ? Result.succeed({ os: host.os, architecture, variant: kept })
      : fail(`${quoted}: unknown operating system or architecture`)
  }
  const { architecture, variant } = normalizeArchitecture(second, third)
  // arm means v7 and arm64 means v8 unless a variant is named: then it is kept
  const implied = third === "" && architecture === "arm" && variant === "v7"
  const kept = third !== "" && architecture === "arm64" && variant === "" ? "v8" : implied ? "" : variant
  return Result.succeed({ os: normalizeSystem(first), architecture, variant: kept })
}

/** `linux/arm/v7` */
export const formatPlatform = (platform: Platform): string =>
  [platform.os, platform.architecture, platform.variant].filter((part) => part !== "").join("/")

/** Names of uname(2) that are no architecture's for images: what those call it, and its variant. */
const machines: { readonly [machine: string]: readonly [architecture: string, variant: string] } = {
  i486: ["386", ""], i586: ["386", ""], i686: ["386", ""], armv6l: ["arm", "v6"], armv7l: ["arm", "v7"], armv8l: ["arm", "v8"],
  loongarch64: ["loong64", ""]
}

/** The platform of a machine that uname(2) calls so. */
export const platformOfMachine = (machine: string): Platform => {
  const [architecture, variant] = machines[machine] ?? [machine, ""]
  return { os: "linux", ...normalizeArchitecture(architecture, variant) }
}
