import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { renderStandardFilters } from "../../../scripts/standardFilters.ts"
import { capabilityNames, defaultCapabilities } from "../../../src/domain/container/Capability.ts"
import { defaultConfig } from "../../../src/domain/container/ContainerConfig.ts"
import { seccompFilter } from "../../../src/domain/container/seccompFilter.ts"
import { resolveSeccomp } from "../../../src/domain/container/securityProfile.ts"
import { compile } from "../../../src/domain/seccomp/compile.ts"
import { ociSeccompJson } from "../../../src/domain/seccomp/OciSeccomp.ts"
import { standardFilter } from "../../../src/domain/seccomp/standardFilter.ts"

const section = (capabilities: ReadonlyArray<string>, machine: string) =>
  Result.getOrThrow(resolveSeccomp(defaultConfig("x"), { machine, capabilities, kernelVersion: { major: 6, minor: 18 } }))!

const usual = capabilityNames.filter((name) => defaultCapabilities.includes(name))

describe("filters compiled beforehand", () => {
  it("are what the compiler makes today", () => {
    const committed = readFileSync(new URL("../../../src/domain/seccomp/data/standardFilters.ts", import.meta.url), "utf8")
    assert.strictEqual(committed, renderStandardFilters())
  })

  it("are used for a container without options, and have the flags that the compiler gives", () => {
    for (const machine of ["x86_64", "aarch64"]) {
      const usualSection = section(usual, machine)
      assert.isDefined(standardFilter(machine, ociSeccompJson(usualSection)))
      const made = Result.getOrThrow(seccompFilter(usualSection, machine))!
      const compiled = Result.getOrThrow(compile(usualSection, machine))
      assert.deepStrictEqual(made.filter, compiled.bytes)
      assert.deepStrictEqual(made.flags, compiled.flags)
      assert.deepStrictEqual(made.warnings, compiled.warnings)
    }
  })

  it("are not used when a capability or the machine is another", () => {
    const other = section([...usual, "CAP_SYS_ADMIN"], "x86_64")
    assert.isUndefined(standardFilter("x86_64", ociSeccompJson(other)))
    assert.isUndefined(standardFilter("riscv64", ociSeccompJson(section(usual, "x86_64"))))
  })
})
