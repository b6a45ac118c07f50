import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { architectureFacts, architectureOfMachine } from "../../../src/domain/seccomp/Architecture.ts"
import { compile } from "../../../src/domain/seccomp/compile.ts"
import { defaultProfile } from "../../../src/domain/seccomp/defaultProfile.ts"
import { resolve } from "../../../src/domain/seccomp/SeccompProfile.ts"
import { evaluate, faultsOf } from "./evaluate.ts"
import { allowed, errno, killThread, notImplemented, numbersOf } from "./semantics.ts"

const dockersCapabilities = [
  "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID",
  "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE"
]

const filterFor = (machine: string, ...added: ReadonlyArray<string>) =>
  Result.getOrThrow(compile(
    resolve(defaultProfile, {
      machine,
      capabilities: new Set([...dockersCapabilities, ...added]),
      kernelVersion: { major: 6, minor: 18 }
    }),
    machine
  ))

const decisions = (machine: string, ...added: ReadonlyArray<string>) => {
  const { bytes } = filterFor(machine, ...added)
  const architecture = architectureOfMachine(machine)!
  const { auditArchitecture } = architectureFacts(architecture)
  const byNumber = (number: number, ...args: ReadonlyArray<bigint>) =>
    evaluate(bytes, { architecture: auditArchitecture, number, args }).verdict
  return {
    byNumber,
    by: (name: string, ...args: ReadonlyArray<bigint>) => byNumber(numbersOf(architecture).get(name)!, ...args)
  }
}

const machines = ["x86_64", "aarch64", "armv7l", "i686", "ppc64le", "s390x", "riscv64", "loongarch64"]
const denied = errno(1)

describe("Docker's default profile", () => {
  it.each(machines)("on %s: is a valid program, and knows every name", (machine) => {
    const { bytes, warnings, flags } = filterFor(machine)
    expect(faultsOf(bytes)).toEqual([])
    expect(warnings).toEqual([])
    expect(flags).toEqual(["specAllow"])
  })

  it.each(machines)("on %s: lets a program live, and no one mount", (machine) => {
    const { by } = decisions(machine)
    expect(["read", "execveat", "exit_group", "openat"].map((name) => by(name))).toEqual(Array(4).fill(allowed))
    expect(["mount", "setns", "keyctl", "kexec_load", "bpf"].map((name) => by(name))).toEqual(Array(5).fill(denied))
  })

  it("gives back with a capability what only its holder may do", () => {
    expect(decisions("x86_64", "CAP_SYS_ADMIN").by("mount")).toBe(allowed)
    expect(decisions("x86_64", "CAP_SYS_TIME").by("settimeofday")).toBe(allowed)
    expect(decisions("x86_64", "CAP_BPF").by("bpf")).toBe(allowed)
    expect(decisions("x86_64", "CAP_PERFMON").by("perf_event_open")).toBe(allowed)
    expect(decisions("x86_64", "CAP_PERFMON").by("mount")).toBe(denied)
  })

  it("allows the personalities it names, and no other", () => {
    const { by } = decisions("x86_64")
    const values = [0n, 1n, 7n, 8n, 9n, 0x20000n, 0x20007n, 0x20008n, 0x20009n, 0xfffffffen, 0xffffffffn, 0x100000000n]
    expect(values.filter((value) => by("personality", value) === allowed))
      .toEqual([0n, 8n, 0x20000n, 0x20008n, 0xffffffffn])
  })

  it("allows threads and processes, but no new namespaces", () => {
    const { by } = decisions("x86_64")
    const threadFlags = 0x3d0f00n
    const namespaces = [0x10000000n, 0x20000000n, 0x40000000n, 0x02000000n, 0x04000000n, 0x08000000n, 0x00020000n]
    expect([17n, threadFlags].map((flags) => by("clone", flags))).toEqual([allowed, allowed])
    expect(namespaces.map((flag) => by("clone", threadFlags | flag))).toEqual(namespaces.map(() => denied))
    // In front of an argument that cannot be looked into, glibc is told to use clone instead.
    expect(by("clone3")).toBe(notImplemented)
    const withAdmin = decisions("x86_64", "CAP_SYS_ADMIN")
    expect([withAdmin.by("clone", 0x10000000n), withAdmin.by("clone3")]).toEqual([allowed, allowed])
  })

  it("looks at the second argument of clone on s390", () => {
    const { by } = decisions("s390x")
    expect([by("clone", 0x10000000n, 17n), by("clone", 0n, 0x10000000n)]).toEqual([allowed, denied])
  })

  it("denies the address families AF_ALG and AF_VSOCK", () => {
    const { by } = decisions("x86_64")
    const families = Array.from({ length: 64 }, (_, family) => family)
    expect(families.filter((family) => by("socket", BigInt(family)) !== allowed)).toEqual([38, 40])
  })

  it("answers calls newer than itself with ENOSYS, whatever the ABI", () => {
    const { byNumber } = decisions("x86_64")
    const newest = numbersOf("SCMP_ARCH_X86_64").get("removexattrat")!
    expect([newest, newest + 1, 100_000].map((number) => byNumber(number)))
      .toEqual([allowed, notImplemented, notImplemented])
    expect(decisions("aarch64").byNumber(newest + 1)).toBe(notImplemented)
    expect(decisions("s390x").byNumber(0)).toBe(notImplemented)
  })

  it("covers the 32-bit and x32 calls of an x86_64 kernel, and kills those of a foreign one", () => {
    const { bytes } = filterFor("x86_64")
    const x86 = architectureFacts("SCMP_ARCH_X86").auditArchitecture
    const x64 = architectureFacts("SCMP_ARCH_X86_64").auditArchitecture
    const arm = architectureFacts("SCMP_ARCH_ARM").auditArchitecture
    const decide = (architecture: number, number: number) => evaluate(bytes, { architecture, number, args: [] }).verdict
    expect([decide(x86, 20), decide(x86, 21), decide(arm, 20)]).toEqual([allowed, denied, killThread])
    expect([decide(x64, 0x40000000 + 39), decide(x64, 0x40000000 + 165)]).toEqual([allowed, denied])
  })

  it("is short and shallow: the kernel walks it once per call number when it is loaded", () => {
    const { bytes, instructions } = filterFor("x86_64")
    expect(instructions.length).toBeLessThanOrEqual(256)
    const architecture = architectureFacts("SCMP_ARCH_X86_64").auditArchitecture
    const executed = Array.from(
      { length: 470 },
      (_, number) => evaluate(bytes, { architecture, number, args: [] }).executed
    )
    expect(Math.max(...executed)).toBeLessThanOrEqual(18)
  })
})
