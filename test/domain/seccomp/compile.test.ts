import * as Result from "effect/Result"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  type Architecture,
  architectureFacts,
  architectureOfMachine
} from "../../../src/domain/seccomp/Architecture.ts"
import { compile } from "../../../src/domain/seccomp/compile.ts"
import type { OciSeccomp } from "../../../src/domain/seccomp/OciSeccomp.ts"
import * as arbitraries from "./arbitraries.ts"
import { type Call, evaluate, faultsOf } from "./evaluate.ts"
import { allowed, errno, killThread, meaning, notImplemented, numbersOf } from "./semantics.ts"

const x64 = architectureFacts("SCMP_ARCH_X86_64").auditArchitecture
const x86 = architectureFacts("SCMP_ARCH_X86").auditArchitecture
const read = 0
const socketOnX86 = 359
const socketcallOnX86 = 102

const compiled = (seccomp: OciSeccomp, machine = "x86_64") => Result.getOrThrow(compile(seccomp, machine))
const bytesOf = (seccomp: OciSeccomp, machine = "x86_64") => compiled(seccomp, machine).bytes
const failure = (seccomp: OciSeccomp, machine = "x86_64") =>
  Result.match(compile(seccomp, machine), { onSuccess: () => "compiled", onFailure: (error) => error.message })
const decide = (bytes: Uint8Array, number: number, args: ReadonlyArray<bigint> = [], architecture = x64) =>
  evaluate(bytes, { architecture, number, args }).verdict

const listedOf = (seccomp: OciSeccomp, machine: string): ReadonlyArray<Architecture> => [
  ...new Set([architectureOfMachine(machine)!, ...(seccomp.architectures ?? []) as ReadonlyArray<Architecture>])
]

const agrees = (seccomp: OciSeccomp, machine: string, calls: ReadonlyArray<Call>) => {
  const bytes = bytesOf(seccomp, machine)
  expect(faultsOf(bytes)).toEqual([])
  for (const call of calls) {
    expect({ call, verdict: evaluate(bytes, call).verdict })
      .toEqual({ call, verdict: meaning(seccomp, listedOf(seccomp, machine), call) })
  }
}

describe("a compiled filter", () => {
  it("decides every call as its profile means it", () => {
    fc.assert(
      fc.property(
        arbitraries.ociSeccomp,
        fc.constantFrom("x86_64", "aarch64", "s390x", "i686", "armv7l", "ppc64le"),
        fc.array(arbitraries.call, { minLength: 1, maxLength: 80, size: "max" }),
        agrees
      ),
      { numRuns: 500 }
    )
  })

  it("decides by neighbouring values as by the profile, for any one condition", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("x86_64", "s390x", "i686"),
        fc.constantFrom(
          "SCMP_CMP_NE" as const, "SCMP_CMP_LT" as const, "SCMP_CMP_LE" as const, "SCMP_CMP_EQ" as const,
          "SCMP_CMP_GE" as const, "SCMP_CMP_GT" as const, "SCMP_CMP_MASKED_EQ" as const
        ),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        (machine, op, value, valueTwo) => {
          const architecture = architectureOfMachine(machine)!
          const seccomp: OciSeccomp = {
            defaultAction: "SCMP_ACT_ERRNO",
            syscalls: [{ names: ["getpid"], action: "SCMP_ACT_ALLOW", args: [{ index: 2, op, value, valueTwo }] }]
          }
          const nearby = [-(2n ** 32n), -1n, 0n, 1n, 2n ** 32n].flatMap((step) => [value + step, valueTwo + step])
          agrees(seccomp, machine, [...nearby, 0n, value & valueTwo].map((argument) => ({
            architecture: architectureFacts(architecture).auditArchitecture,
            number: numbersOf(architecture).get("getpid")!,
            args: [0n, 0n, BigInt.asUintN(64, argument)]
          })))
        }
      ),
      { numRuns: 300 }
    )
  })

  it("is the same bytes for the same profile", () => {
    fc.assert(fc.property(arbitraries.ociSeccomp, (seccomp) => {
      expect(bytesOf(structuredClone(seccomp))).toEqual(bytesOf(seccomp))
    }), { numRuns: 50 })
  })

  it("needs few steps however many calls it lists", () => {
    const everySecond = [...numbersOf("SCMP_ARCH_X86_64").entries()]
      .flatMap(([name, number]) => number % 2 === 0 ? name : [])
    const syscalls = [{ names: everySecond, action: "SCMP_ACT_ALLOW" as const }]
    const bytes = bytesOf({ defaultAction: "SCMP_ACT_ERRNO", syscalls })
    const steps = Array.from(
      { length: 470 },
      (_, number) => evaluate(bytes, { architecture: x64, number, args: [] }).executed
    )
    expect(Math.max(...steps)).toBeLessThanOrEqual(16)
  })
})

describe("rules about the same call", () => {
  const getpid = numbersOf("SCMP_ARCH_X86_64").get("getpid")!
  const equals = (value: number) => [{ index: 0, op: "SCMP_CMP_EQ" as const, value }]
  const getpidRules = (...rules: ReadonlyArray<Omit<NonNullable<OciSeccomp["syscalls"]>[number], "names">>) =>
    bytesOf({
      defaultAction: "SCMP_ACT_ERRNO",
      syscalls: [
        { names: ["read"], action: "SCMP_ACT_ALLOW" },
        ...rules.map((rule) => ({ names: ["getpid"], ...rule }))
      ]
    })

  it("without conditions: the first one decides, and no condition is looked at", () => {
    const bytes = getpidRules(
      { action: "SCMP_ACT_TRAP", args: equals(1) },
      { action: "SCMP_ACT_ALLOW" },
      { action: "SCMP_ACT_KILL_PROCESS" }
    )
    expect(decide(bytes, getpid, [1n])).toBe(allowed)
  })

  it("with conditions: the first that holds decides", () => {
    const bytes = getpidRules(
      { action: "SCMP_ACT_ALLOW", args: [{ index: 0, op: "SCMP_CMP_LT", value: 5 }] },
      { action: "SCMP_ACT_KILL_PROCESS", args: equals(3) },
      { action: "SCMP_ACT_KILL_PROCESS", args: equals(7) }
    )
    expect([3n, 5n, 7n].map((argument) => decide(bytes, getpid, [argument]))).toEqual([allowed, errno(1), 0x80000000])
  })

  it("with the default action: they say nothing", () => {
    expect(decide(getpidRules({ action: "SCMP_ACT_ERRNO" }, { action: "SCMP_ACT_ALLOW" }), getpid)).toBe(allowed)
    const otherErrno = getpidRules({ action: "SCMP_ACT_ERRNO", errnoRet: 13 }, { action: "SCMP_ACT_ALLOW" })
    expect(decide(otherErrno, getpid)).toBe(errno(13))
  })

  it("several conditions must all hold, but any one is enough when two are about one argument", () => {
    const both = getpidRules({
      action: "SCMP_ACT_ALLOW",
      args: [...equals(1), { index: 1, op: "SCMP_CMP_EQ", value: 2 }]
    })
    expect([[1n, 2n], [1n, 3n], [0n, 2n]].map((args) => decide(both, getpid, args)))
      .toEqual([allowed, errno(1), errno(1)])
    const either = getpidRules({ action: "SCMP_ACT_ALLOW", args: [...equals(1), ...equals(2)] })
    expect([1n, 2n, 3n].map((argument) => decide(either, getpid, [argument]))).toEqual([allowed, allowed, errno(1)])
  })
})

describe("architectures", () => {
  const onlyRead: OciSeccomp = {
    defaultAction: "SCMP_ACT_ERRNO",
    syscalls: [{ names: ["read"], action: "SCMP_ACT_ALLOW" }]
  }

  it("the machine's own belongs to the filter, and calls of one that is not listed kill the thread", () => {
    expect(decide(bytesOf(onlyRead), read)).toBe(allowed)
    expect(decide(bytesOf(onlyRead), 3, [], x86)).toBe(killThread)
    expect(decide(bytesOf({ ...onlyRead, architectures: ["SCMP_ARCH_X86"] }), 3, [], x86)).toBe(allowed)
  })

  it("x32 is one of its own, told by a bit of the number; -1 is a tracer's, and belongs to none", () => {
    const x32Read = 0x40000000
    expect(decide(bytesOf(onlyRead), x32Read)).toBe(killThread)
    expect(decide(bytesOf({ ...onlyRead, architectures: ["SCMP_ARCH_X32"] }), x32Read)).toBe(allowed)
    expect(decide(bytesOf(onlyRead), 0xffffffff)).toBe(errno(1))
  })

  it("a name is looked up in each: x32 has its own ioctl, arm its private calls", () => {
    const names = ["ioctl", "set_tls"]
    const seccomp: OciSeccomp = {
      defaultAction: "SCMP_ACT_ERRNO",
      architectures: ["SCMP_ARCH_X32", "SCMP_ARCH_ARM"],
      syscalls: [{ names, action: "SCMP_ACT_ALLOW" }]
    }
    const { bytes, warnings } = compiled(seccomp)
    const arm = architectureFacts("SCMP_ARCH_ARM").auditArchitecture
    expect([16, 0x40000000 + 514].map((number) => decide(bytes, number))).toEqual([allowed, allowed])
    expect([0xf0005, 0xf0001, 1000].map((number) => decide(bytes, number, [], arm)))
      .toEqual([allowed, errno(1), notImplemented])
    expect(warnings).toEqual([])
  })

  it("where calls hide behind socketcall and ipc, a rule about them reaches there", () => {
    const bytes = bytesOf({
      defaultAction: "SCMP_ACT_ALLOW",
      architectures: ["SCMP_ARCH_X86"],
      syscalls: [{ names: ["socket", "shmget"], action: "SCMP_ACT_ERRNO" }]
    })
    const on86 = (number: number, first: bigint) => decide(bytes, number, [first], x86)
    expect(on86(socketOnX86, 2n)).toBe(errno(1))
    expect([1n, 2n].map((first) => on86(socketcallOnX86, first))).toEqual([errno(1), allowed])
    // The upper half of the word is a version to the kernel, and must not serve to slip through.
    expect([23n, 0x10017n, 24n].map((first) => on86(117, first))).toEqual([errno(1), errno(1), allowed])
  })

  it("a rule about socketcall itself goes before those about what hides behind it", () => {
    const bytes = bytesOf({
      defaultAction: "SCMP_ACT_ERRNO",
      architectures: ["SCMP_ARCH_X86"],
      syscalls: [
        { names: ["socket"], action: "SCMP_ACT_KILL_PROCESS" },
        { names: ["socketcall"], action: "SCMP_ACT_ALLOW" }
      ]
    })
    expect(decide(bytes, socketcallOnX86, [1n], x86)).toBe(allowed)
  })
})

describe("calls newer than the profile", () => {
  const newest = numbersOf("SCMP_ARCH_X86_64").get("mseal")!
  type Action = OciSeccomp["defaultAction"]
  const withDefault = (defaultAction: Action, action: Action = "SCMP_ACT_ALLOW") =>
    bytesOf({ defaultAction, syscalls: [{ names: ["mseal"], action }] })

  it("get ENOSYS where the default action forbids", () => {
    expect([newest - 1, newest, newest + 1].map((number) => decide(withDefault("SCMP_ACT_ERRNO"), number)))
      .toEqual([errno(1), allowed, notImplemented])
    expect(decide(withDefault("SCMP_ACT_KILL_PROCESS"), newest + 1)).toBe(notImplemented)
    expect(decide(withDefault("SCMP_ACT_TRAP"), newest + 1)).toBe(notImplemented)
  })

  it("get the default action where that lets calls through", () => {
    expect(decide(withDefault("SCMP_ACT_LOG"), newest + 1)).toBe(0x7ffc0000)
    expect(decide(withDefault("SCMP_ACT_TRACE"), newest + 1)).toBe(0x7ff00001)
  })

  it("are counted from every name, also of rules that change nothing", () => {
    expect(decide(withDefault("SCMP_ACT_ERRNO", "SCMP_ACT_ERRNO"), newest)).toBe(errno(1))
    expect(decide(withDefault("SCMP_ACT_ERRNO", "SCMP_ACT_ERRNO"), newest + 1)).toBe(notImplemented)
  })

  it("do not exist for a profile that names no call", () => {
    expect(decide(bytesOf({ defaultAction: "SCMP_ACT_ERRNO" }), 100_000)).toBe(errno(1))
  })
})

describe("what cannot be compiled", () => {
  it("is said with its place, the reason and the cure", () => {
    expect(failure({ defaultAction: "SCMP_ACT_NOTIFY" })).toBe(
      "cannot compile the seccomp filter: defaultAction: SCMP_ACT_NOTIFY needs a listener, which this engine does " +
        "not have (use SCMP_ACT_ERRNO or SCMP_ACT_LOG)"
    )
    expect(failure({ defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["read"], action: "SCMP_ACT_NOTIFY" }] }))
      .toContain("syscalls[0] (read)")
    expect(failure({ defaultAction: "SCMP_ACT_ALLOW", defaultErrnoRet: 1 })).toContain("remove errnoRet")
    expect(failure({ defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 4096 })).toContain("the largest is 4095")
    expect(failure({ defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_VAX"] }))
      .toContain("SCMP_ARCH_VAX is not known")
    expect(failure({ defaultAction: "SCMP_ACT_ALLOW", flags: ["SECCOMP_FILTER_FLAG_X"] }))
      .toContain("SECCOMP_FILTER_FLAG_X is not known")
    expect(failure({ defaultAction: "SCMP_ACT_ALLOW" }, "pdp11")).toContain("machine pdp11")
  })

  it("is a filter longer than the kernel takes", () => {
    const syscalls = Array.from({ length: 300 }, (_, value) => ({
      names: [value % 2 === 0 ? "read" : "getpid"],
      action: "SCMP_ACT_ALLOW" as const,
      args: [0, 1, 2, 3, 4, 5].map((index) => ({ index, op: "SCMP_CMP_EQ" as const, value }))
    }))
    expect(failure({ defaultAction: "SCMP_ACT_ERRNO", syscalls })).toContain("more than the 4096 instructions")
  })

  it("is more conditions than any filter could hold, told before much work is done", () => {
    const getpid = (count: number) => ({
      names: ["getpid"],
      action: "SCMP_ACT_ALLOW" as const,
      args: Array.from({ length: count }, (_, value) => ({ index: 0, op: "SCMP_CMP_EQ" as const, value: 2 * value }))
    })
    expect(failure({ defaultAction: "SCMP_ACT_ERRNO", syscalls: [getpid(1024)] })).toBe("compiled")
    expect(failure({ defaultAction: "SCMP_ACT_ERRNO", syscalls: [getpid(1000), getpid(25)] }))
      .toContain("1025 conditions for one system call")
    const names = [...numbersOf("SCMP_ARCH_X86_64").keys()]
    expect(failure({ defaultAction: "SCMP_ACT_ERRNO", syscalls: [{ ...getpid(64), names }] }))
      .toContain(`${names.length * 64} conditions`)
  })

  it("is not a long chain of rules in itself: no recursion follows it", () => {
    const syscalls = Array.from({ length: 168 }, (_, value) => ({
      names: ["getpid"],
      action: "SCMP_ACT_ALLOW" as const,
      args: [0, 1, 2, 3, 4, 5].map((index) => ({ index, op: "SCMP_CMP_EQ" as const, value }))
    }))
    const deep = (depth: number): string =>
      depth === 0 ? failure({ defaultAction: "SCMP_ACT_ERRNO", syscalls }) : deep(depth - 1)
    expect(deep(1000)).toBe("compiled")
  })

  it("is a name that no architecture knows: ignored with a warning", () => {
    const syscalls = [{ names: ["raed"], action: "SCMP_ACT_ERRNO" as const }]
    expect(compiled({ defaultAction: "SCMP_ACT_ALLOW", syscalls }).warnings)
      .toEqual(["seccomp: raed ignored: no architecture has such a system call"])
  })
})

describe("a long filter", () => {
  it("reaches its far verdicts over more than 255 instructions", () => {
    const names = [...numbersOf("SCMP_ARCH_X86_64").keys()].slice(0, 150)
    const seccomp: OciSeccomp = {
      defaultAction: "SCMP_ACT_ERRNO",
      architectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_ARM"],
      syscalls: names.map((name, index) => ({
        names: [name],
        action: "SCMP_ACT_ALLOW",
        args: [
          { index: 0, op: "SCMP_CMP_EQ", value: index },
          { index: 1, op: "SCMP_CMP_MASKED_EQ", value: 6, valueTwo: 2 }
        ]
      }))
    }
    expect(compiled(seccomp).instructions.length).toBeGreaterThan(1500)
    const calls = listedOf(seccomp, "x86_64").flatMap((architecture) =>
      names.flatMap((name, index) => {
        const number = numbersOf(architecture).get(name)
        return number === undefined ? [] : [0n, 1n].map((off) => ({
          architecture: architectureFacts(architecture).auditArchitecture,
          number,
          args: [BigInt(index) + off, 3n]
        }))
      })
    )
    agrees(seccomp, "x86_64", calls)
  })
})

describe("flags for seccomp(2)", () => {
  it("speculation stays allowed unless the profile lists flags", () => {
    expect(compiled({ defaultAction: "SCMP_ACT_ALLOW" }).flags).toEqual(["specAllow"])
    expect(compiled({ defaultAction: "SCMP_ACT_ALLOW", flags: [] }).flags).toEqual([])
    const flags = ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]
    expect(compiled({ defaultAction: "SCMP_ACT_ALLOW", flags })).toMatchObject({
      flags: ["log", "tsync"],
      warnings: ["seccomp: flag SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV ignored: it is for filters with a listener only"]
    })
  })
})
