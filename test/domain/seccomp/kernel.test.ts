/** The filters on this very kernel: it must take them, and decide as the evaluator does. No root is needed. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { machine, tmpdir } from "node:os"
import { join } from "node:path"
import * as Result from "effect/Result"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { architectureFacts, architectureOfMachine } from "../../../src/domain/seccomp/Architecture.ts"
import { compile } from "../../../src/domain/seccomp/compile.ts"
import { defaultProfile } from "../../../src/domain/seccomp/defaultProfile.ts"
import type { OciSeccomp } from "../../../src/domain/seccomp/OciSeccomp.ts"
import { resolve } from "../../../src/domain/seccomp/SeccompProfile.ts"
import * as arbitraries from "./arbitraries.ts"
import { evaluate } from "./evaluate.ts"
import { allowed, errno, numbersOf } from "./semantics.ts"

const native = architectureOfMachine(machine())
const hasCompiler = spawnSync("cc", ["--version"]).status === 0
const reason = native === undefined
  ? `no system call table for ${machine()}`
  : hasCompiler
  ? undefined
  : "no C compiler (cc) here to build the probe"

const title = reason === undefined ? "a filter in the kernel" : `a filter in the kernel (skipped: ${reason})`

describe.skipIf(reason !== undefined)(title, () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "fx-test-seccomp-"))
    const source = join(import.meta.dirname, "probe.c")
    const options = ["-Wall", "-Wextra", "-O1", "-o", join(folder, "probe"), source]
    const built = spawnSync("cc", options, { encoding: "utf8" })
    expect(built.stderr).toBe("")
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const number = (name: string): number => numbersOf(native!).get(name)!

  interface ProbedCall {
    readonly abi: "native" | "i386"
    readonly number: number
    readonly args: ReadonlyArray<bigint>
  }
  const call = (name: string, ...args: ReadonlyArray<number>): ProbedCall => ({
    abi: "native",
    number: number(name),
    args: args.map((argument) => BigInt(argument))
  })

  const probe = (bytes: Uint8Array, calls: ReadonlyArray<ProbedCall>) => {
    writeFileSync(join(folder, "filter"), bytes)
    const lines = calls.map((one) =>
      [one.abi, one.number, ...Array.from({ length: 6 }, (_, index) => one.args[index] ?? 0n)].join(" ")
    )
    const input = lines.join("\n")
    const run = spawnSync(join(folder, "probe"), [join(folder, "filter")], { input, encoding: "utf8" })
    const errnos = run.stdout.trim().split("\n").map(Number)
    return { status: run.status, signal: run.signal, stderr: run.stderr, errnos }
  }
  const compiled = (seccomp: OciSeccomp) => Result.getOrThrow(compile(seccomp, machine())).bytes

  const defaultFilter = () =>
    compiled(resolve(defaultProfile, {
      machine: machine(),
      capabilities: new Set(["CAP_CHOWN", "CAP_SYS_CHROOT"]),
      kernelVersion: { major: 6, minor: 0 }
    }))

  const EPERM = 1
  const ENOSYS = 38

  it("is the default profile: it denies what could break out, and lets a program live", () => {
    const newUserNamespace = 0x10000000
    const vsock = 40
    const expected: ReadonlyArray<readonly [ProbedCall, number]> = [
      [call("getpid"), 0],
      [call("mount"), EPERM],
      [call("unshare", newUserNamespace), EPERM],
      [call("clone", newUserNamespace), EPERM],
      [call("clone3"), ENOSYS],
      [call("keyctl"), EPERM],
      [call("personality", 0xffffffff), 0],
      [call("personality", 1), EPERM],
      [call("socket", vsock, 1), EPERM],
      [call("socket", 1, 1), 0],
      [{ abi: "native", number: 5000, args: [] }, ENOSYS]
    ]
    const result = probe(defaultFilter(), expected.map(([one]) => one))
    expect(result).toMatchObject({ status: 0, stderr: "" })
    expect(result.errnos).toEqual(expected.map(([, wanted]) => wanted))
  })

  it.skipIf(machine() !== "x86_64")("decides calls of the 32-bit sibling by its own numbers", (context) => {
    const i386 = (number: number, ...args: ReadonlyArray<number>): ProbedCall => ({
      abi: "i386",
      number,
      args: args.map((argument) => BigInt(argument))
    })
    const getpidOn86 = 20
    const mountOn86 = 21
    const { errnos, signal } = probe(defaultFilter(), [i386(getpidOn86), i386(mountOn86), i386(5000)])
    // Without CONFIG_IA32_EMULATION, and under some hypervisors, int 0x80 is a fault like any other.
    if (signal === "SIGSEGV") context.skip("no 32-bit calls on this machine: int 0x80 faults")
    expect(errnos).toEqual([0, EPERM, ENOSYS])
    expect(probe(compiled({ defaultAction: "SCMP_ACT_ALLOW" }), [i386(getpidOn86)]).signal).toBe("SIGSYS")
  })

  it.skipIf(machine() !== "x86_64")("kills at a call of an architecture that it does not list", () => {
    const x32Getpid: ProbedCall = { abi: "native", number: 0x40000000 + number("getpid"), args: [] }
    const withX32: OciSeccomp = { defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X32"] }
    // Most kernels have no x32, and say so once the filter lets the call through.
    expect([[0], [ENOSYS]]).toContainEqual(probe(compiled(withX32), [x32Getpid]).errnos)
    expect(probe(compiled({ defaultAction: "SCMP_ACT_ALLOW" }), [x32Getpid]).signal).toBe("SIGSYS")
  })

  it("decides by arguments as the evaluator does", () => {
    const harmless = ["getpid", "getppid", "getuid", "gettid"]
    const architecture = architectureFacts(native!).auditArchitecture
    const rule = fc.record({
      names: fc.subarray(harmless, { minLength: 1 }),
      action: fc.constant("SCMP_ACT_ERRNO" as const),
      errnoRet: fc.constantFrom(13, 14, 15),
      args: fc.array(arbitraries.condition, { maxLength: 3 })
    })
    const calls = fc.array(
      fc.record({
        abi: fc.constant("native" as const),
        number: fc.constantFrom(...harmless.map(number)),
        args: fc.array(arbitraries.argumentValue, { minLength: 6, maxLength: 6 })
      }),
      { minLength: 50, maxLength: 50 }
    )
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 8 }), calls, (syscalls, made) => {
        const bytes = compiled({ defaultAction: "SCMP_ACT_ALLOW", syscalls })
        const wanted = made.map((one) => evaluate(bytes, { architecture, ...one }).verdict)
        expect(probe(bytes, made).errnos.map((code) => code === 0 ? allowed : errno(code))).toEqual(wanted)
      }),
      { numRuns: 30 }
    )
  })

  it("is taken at the greatest length that the compiler lets through", () => {
    const syscalls = Array.from({ length: 200 }, (_, value) => ({
      names: ["getppid"],
      action: "SCMP_ACT_ERRNO" as const,
      args: [0, 1, 2, 3, 4].map((index) => ({ index, op: "SCMP_CMP_EQ" as const, value }))
    }))
    const bytes = compiled({ defaultAction: "SCMP_ACT_ALLOW", syscalls })
    expect(bytes.length / 8).toBeGreaterThan(4000)
    const args = [199n, 199n, 199n, 199n, 199n]
    const made = [{ abi: "native" as const, number: number("getppid"), args }]
    expect(probe(bytes, made)).toMatchObject({ status: 0, errnos: [EPERM] })
  })
})
