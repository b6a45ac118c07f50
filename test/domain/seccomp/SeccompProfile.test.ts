import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { decodeOciSeccomp, type OciSeccomp, ociSeccompJson } from "../../../src/domain/seccomp/OciSeccomp.ts"
import { decodeProfile, type ProfileHost, resolve } from "../../../src/domain/seccomp/SeccompProfile.ts"

const host: ProfileHost = {
  machine: "x86_64",
  capabilities: new Set(["CAP_CHOWN"]),
  kernelVersion: { major: 5, minor: 10 }
}

const decoded = (json: unknown) =>
  Result.getOrThrow(decodeProfile(typeof json === "string" ? json : JSON.stringify(json)))
const failure = (text: string) =>
  Result.match(decodeProfile(text), { onSuccess: () => "decoded", onFailure: (error) => error.message })
const rejects = (profile: unknown) => failure(JSON.stringify(profile))
const resolved = (rules: ReadonlyArray<object>, on: Partial<ProfileHost> = {}) =>
  resolve(
    decoded({
      defaultAction: "SCMP_ACT_ERRNO",
      syscalls: rules.map((rule) => ({ names: ["read"], action: "SCMP_ACT_ALLOW", ...rule }))
    }),
    { ...host, ...on }
  ).syscalls!.length === 1

describe("a profile in Docker's format", () => {
  it("may have null where Go writes none, and keys that nobody knows", () => {
    const profile = {
      defaultAction: "SCMP_ACT_ERRNO",
      defaultErrnoRet: null,
      archMap: null,
      syscalls: [{ names: ["read"], action: "SCMP_ACT_ALLOW", args: null, includes: null, excludes: {}, note: 1 }]
    }
    expect(resolve(decoded(profile), host)).toEqual({
      defaultAction: "SCMP_ACT_ERRNO",
      architectures: [],
      syscalls: [{ names: ["read"], action: "SCMP_ACT_ALLOW" }]
    })
  })

  it("keeps all it says that is no condition", () => {
    const args = [{ index: 1, value: 2, valueTwo: 3, op: "SCMP_CMP_MASKED_EQ" }]
    const profile = {
      defaultAction: "SCMP_ACT_ERRNO",
      defaultErrnoRet: 38,
      architectures: ["SCMP_ARCH_X86_64"],
      flags: [],
      listenerPath: "/run/listener",
      syscalls: [{ names: ["read"], action: "SCMP_ACT_ERRNO", errnoRet: 13, args, comment: "why" }]
    }
    expect(resolve(decoded(profile), host)).toEqual({
      ...profile,
      syscalls: [{ names: ["read"], action: "SCMP_ACT_ERRNO", errnoRet: 13, args }]
    })
  })

  it("may name a call by the old key", () => {
    const profile = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ name: "read", action: "SCMP_ACT_LOG" }] }
    expect(resolve(decoded(profile), host).syscalls).toEqual([{ names: ["read"], action: "SCMP_ACT_LOG" }])
  })

  it("keeps numbers of 64 bits exact", () => {
    const text = `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_LOG","args":[
      {"index":0,"value":18446744073709551615,"valueTwo":9007199254740993,"op":"SCMP_CMP_MASKED_EQ"},
      {"index":1,"value":4294967295,"op":"SCMP_CMP_EQ"}]}]}`
    const [first, second] = resolve(decoded(text), host).syscalls![0]!.args!
    expect([first!.value, first!.valueTwo]).toEqual([0xffff_ffff_ffff_ffffn, 9007199254740993n])
    expect(second!.value).toBe(4294967295)
  })

  it("that is wrong is refused with the place and what was expected", () => {
    expect(failure("{")).toMatch(/^cannot parse the seccomp profile: the file: .*JSON.* \(it must hold one JSON object/)
    expect(failure("[]")).toContain("the profile")
    expect(failure("x".repeat(2 ** 20 + 1))).toContain("more than 1048576 characters")
    expect(rejects({ syscalls: [] })).toMatch(/Missing key[^]*defaultAction/)
    const withRule = (rule: object) =>
      rejects({ defaultAction: "SCMP_ACT_ERRNO", syscalls: [{ names: ["read"], action: "SCMP_ACT_ALLOW", ...rule }] })
    expect(withRule({ action: "ALLOW" })).toMatch(/SCMP_ACT_ALLOW[^]*\["syscalls"\]\[0\]\["action"\]/)
    expect(withRule({ args: [{ index: 6, value: 0, op: "SCMP_CMP_EQ" }] })).toContain("[\"index\"]")
    expect(withRule({ args: [{ index: 0, value: -1, op: "SCMP_CMP_EQ" }] })).toContain("[\"value\"]")
    expect(withRule({ args: [{ index: 0, value: 1.5, op: "SCMP_CMP_EQ" }] })).toContain("[\"value\"]")
    const many = Array.from({ length: 65 }, () => ({ index: 0, value: 0, op: "SCMP_CMP_EQ" }))
    expect(withRule({ args: many })).toContain("[\"args\"]")
    expect(withRule({ includes: { minKernel: "new" } })).toContain("a kernel version such as \"4.8\"")
    expect(withRule({ name: "write" })).toContain("syscalls[0]: has both name and names (keep one of the two)")
    expect(withRule({ errnoRet: 65536 })).toContain("[\"errnoRet\"]")
    const archMap = [{ architecture: "SCMP_ARCH_ARM" }]
    expect(rejects({ defaultAction: "SCMP_ACT_ERRNO", architectures: ["SCMP_ARCH_X86"], archMap }))
      .toContain("given together with architectures")
  })

  it("cannot exhaust us by nesting or by length", () => {
    expect(failure("[".repeat(2 ** 20))).toContain("the file")
    expect(failure("[".repeat(2 ** 19) + "]".repeat(2 ** 19))).not.toBe("decoded")
    expect(rejects({ defaultAction: "x".repeat(100_000) }).length).toBeLessThan(1000)
  })
})

describe("resolving a profile", () => {
  const archMap = [
    { architecture: "SCMP_ARCH_AARCH64", subArchitectures: ["SCMP_ARCH_ARM"] },
    { architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"] },
    { architecture: "SCMP_ARCH_RISCV64", subArchitectures: null }
  ]
  const architecturesOn = (machine: string) =>
    resolve(decoded({ defaultAction: "SCMP_ACT_ERRNO", archMap }), { ...host, machine }).architectures

  it("takes the host's entry of archMap with what belongs to it", () => {
    expect(architecturesOn("x86_64")).toEqual(["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"])
    expect(architecturesOn("riscv64")).toEqual(["SCMP_ARCH_RISCV64"])
    expect(architecturesOn("s390x")).toEqual([])
    expect(architecturesOn("pdp11")).toEqual([])
  })

  it("includes a rule by architecture, in Docker's names", () => {
    expect(resolved([{ includes: { arches: ["amd64", "x32"] } }])).toBe(true)
    expect(resolved([{ includes: { arches: ["arm64"] } }])).toBe(false)
    expect(resolved([{ includes: { arches: [] } }])).toBe(true)
    expect(resolved([{ includes: { arches: ["amd64"] } }], { machine: "pdp11" })).toBe(false)
  })

  it("includes a rule only when every capability is held", () => {
    expect(resolved([{ includes: { caps: ["CAP_CHOWN"] } }])).toBe(true)
    expect(resolved([{ includes: { caps: ["CAP_CHOWN", "CAP_SYS_ADMIN"] } }])).toBe(false)
  })

  it("includes a rule from a kernel version on", () => {
    const from = (minKernel: string) => resolved([{ includes: { minKernel } }])
    expect(["4.8", "4.19", "5.9", "5.10", ""].map(from)).toEqual([true, true, true, true, true])
    expect(["5.11", "6.0"].map(from)).toEqual([false, false])
  })

  it("excludes a rule when any one condition is met", () => {
    expect(resolved([{ excludes: { caps: ["CAP_CHOWN", "CAP_SYS_ADMIN"] } }])).toBe(false)
    expect(resolved([{ excludes: { caps: ["CAP_SYS_ADMIN"], arches: ["s390"] } }])).toBe(true)
    expect(resolved([{ excludes: { arches: ["s390", "amd64"] } }])).toBe(false)
    expect(resolved([{ excludes: { minKernel: "5.10" } }])).toBe(false)
    expect(resolved([{ excludes: { minKernel: "5.11" } }])).toBe(true)
    expect(resolved([{ includes: { caps: ["CAP_CHOWN"] }, excludes: { arches: ["amd64"] } }])).toBe(false)
  })
})

describe("linux.seccomp of a config.json", () => {
  it("is taken as it is when it is right, and refused with its fault otherwise", () => {
    const seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["read"], action: "SCMP_ACT_LOG" }] }
    expect(Result.getOrThrow(decodeOciSeccomp(seccomp))).toEqual(seccomp)
    const fault = Result.flip(decodeOciSeccomp({ ...seccomp, defaultAction: "ALLOW" }))
    expect(Result.getOrThrow(fault).message).toContain("linux.seccomp: ")
  })

  it("is written as JSON with its 64-bit numbers exact", () => {
    const args = [{ index: 0, op: "SCMP_CMP_EQ" as const, value: 0xffff_ffff_ffff_ffffn }]
    const seccomp: OciSeccomp = {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [{ names: ["read"], action: "SCMP_ACT_LOG", args }]
    }
    expect(ociSeccompJson(seccomp)).toContain("\"value\":18446744073709551615}")
    expect(resolve(decoded(ociSeccompJson(seccomp)), host)).toEqual({ ...seccomp, architectures: [] })
  })
})
