/** Random profiles and the calls that probe them: small pools, so that rules meet, overlap and contradict. */
import fc from "fast-check"
import { type Architecture, architectureFacts, architectures } from "../../../src/domain/seccomp/Architecture.ts"
import { type OciSeccomp, SeccompAction, SeccompOperator } from "../../../src/domain/seccomp/OciSeccomp.ts"
import type { Call } from "./evaluate.ts"
import { numbersOf } from "./semantics.ts"

/** Native and multiplexed calls, such as only some architectures have, private ones of ARM, and no call at all. */
const names = [
  "read", "write", "clone", "personality", "socket", "sendto", "send", "semop", "socketcall", "ipc", "ioctl", "set_tls",
  "cacheflush", "arch_prctl", "getpid", "mseal", "removexattrat", "uretprobe", "no_such_call"
]

const interesting = [
  0n, 1n, 2n, 3n, 11n, 38n, 40n, 0x7e020000n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n, 0x100000001n,
  0x1ffffffffn, 0x200000000n, 0x7fffffffffffffffn, 0x8000000000000000n, 0xffffffff00000000n, 0xffffffffffffffffn
]
export const argumentValue = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...interesting) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 0xffffffffffffffffn }) }
)

export const condition = fc.record({
  index: fc.constantFrom(0, 0, 0, 1, 5),
  value: argumentValue,
  valueTwo: argumentValue,
  op: fc.constantFrom(...SeccompOperator.literals)
})

const actions = SeccompAction.literals.filter((action) => action !== "SCMP_ACT_NOTIFY")
const withErrno = fc.constantFrom("SCMP_ACT_ERRNO" as const, "SCMP_ACT_TRACE" as const)

const rule = fc.record({
  names: fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }),
  args: fc.oneof(fc.constant([]), fc.array(condition, { maxLength: 3 })),
  outcome: fc.oneof(
    fc.record({ action: fc.constantFrom(...actions) }),
    fc.record({ action: withErrno, errnoRet: fc.constantFrom(1, 13, 38) })
  )
}).map(({ names, args, outcome }) => ({ names, args, ...outcome }))

export const ociSeccomp: fc.Arbitrary<OciSeccomp> = fc.record({
  defaultAction: fc.constantFrom("SCMP_ACT_ERRNO" as const, "SCMP_ACT_ERRNO" as const, ...actions),
  architectures: fc.uniqueArray(fc.constantFrom(...architectures), { maxLength: 5 }),
  syscalls: fc.array(rule, { maxLength: 12 })
})

const someNumbers = (architecture: Architecture): ReadonlyArray<number> => {
  const numbers = numbersOf(architecture)
  return names.flatMap((name) => numbers.get(name) ?? [])
}
const numberPools = new Map(architectures.map((architecture) => [architecture, someNumbers(architecture)]))
const edges = [
  0, 500, 0xeffff, 0xf0000, 0xf0005, 0xfffff, 0x100000, 0x3fffffff, 0x40000000, 0x40000001, 0x400001ff, 0x7fffffff,
  0x80000000, 0xc0000000, 0xfffffffe, 0xffffffff
]

/** Mostly calls that some profile of `ociSeccomp` has a rule for, and the numbers beside them. */
export const call: fc.Arbitrary<Call> = fc.constantFrom(...architectures).chain((architecture) =>
  fc.record({
    architecture: fc.constantFrom(architectureFacts(architecture).auditArchitecture),
    number: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...numberPools.get(architecture)!) },
      { weight: 1, arbitrary: fc.constantFrom(...numberPools.get(architecture)!).map((number) => number + 1) },
      { weight: 1, arbitrary: fc.constantFrom(...edges) }
    ),
    args: fc.array(
      fc.oneof(argumentValue, argumentValue.map((value) => BigInt.asUintN(64, value + 1n))),
      { minLength: 6, maxLength: 6 }
    )
  })
)
