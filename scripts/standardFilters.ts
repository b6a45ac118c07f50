/**
 * Writes `src/domain/seccomp/data/standardFilters.ts`: Docker's default profile with its default capabilities,
 * compiled for the machines most engines run on. Run: `node scripts/standardFilters.ts`.
 */
import { writeFileSync } from "node:fs"
import * as Result from "effect/Result"
import { capabilityNames, defaultCapabilities } from "../src/domain/container/Capability.ts"
import { compile } from "../src/domain/seccomp/compile.ts"
import { defaultProfile } from "../src/domain/seccomp/defaultProfile.ts"
import { ociSeccompJson } from "../src/domain/seccomp/OciSeccomp.ts"
import { resolve } from "../src/domain/seccomp/SeccompProfile.ts"
import { filterKey } from "../src/domain/seccomp/standardFilter.ts"

const machines = ["x86_64", "aarch64"]

/** In the kernel's order, as `capabilitySet` gives them; any kernel with the newest condition of the profile. */
const capabilities = new Set(capabilityNames.filter((name) => defaultCapabilities.includes(name)))

const entry = (machine: string): string => {
  const seccomp = resolve(defaultProfile, { machine, capabilities, kernelVersion: { major: 6, minor: 0 } })
  const { bytes } = Result.getOrThrow(compile(seccomp, machine))
  const lines = Buffer.from(bytes).toString("base64").match(/.{1,100}/g)!.map((line) => `    "${line}"`)
  return `  "${filterKey(machine, ociSeccompJson(seccomp))}":\n${lines.join(" +\n")}`
}

export const renderStandardFilters = (): string =>
  `/** Compiled filters by their key, base64 of struct sock_filter; written by scripts/standardFilters.ts. */
export const standardFilters: { readonly [key: string]: string } = {
${machines.map(entry).join(",\n")}
}
`

if (import.meta.main) {
  writeFileSync(new URL("../src/domain/seccomp/data/standardFilters.ts", import.meta.url), renderStandardFilters())
}
