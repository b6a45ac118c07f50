/**
 * What a profile means, spelt out call by call with no thought of speed: the yardstick for compiled filters.
 * It shares with the compiler the tables of architectures and numbers, and nothing else.
 */
import { type Architecture, architectureFacts } from "../../../src/domain/seccomp/Architecture.ts"
import type { OciSeccomp, SeccompArgument } from "../../../src/domain/seccomp/OciSeccomp.ts"
import { columns, names } from "../../../src/domain/seccomp/data/syscallNumbers.ts"
import type { Call } from "./evaluate.ts"

type Rule = NonNullable<OciSeccomp["syscalls"]>[number]

export const allowed = 0x7fff0000
export const killThread = 0
export const errno = (number: number): number => 0x00050000 + number
export const notImplemented = errno(38)

type Numbers = ReadonlyMap<string, number>

const tables = new Map<Architecture, Numbers>()

/** The system calls of an architecture, as the kernel numbers them. */
export const numbersOf = (architecture: Architecture): Numbers => {
  const known = tables.get(architecture)
  if (known !== undefined) return known
  const { column, numberBase } = architectureFacts(architecture)
  const numbers = columns[column]()
  const table = new Map(
    names().map((name, index) => [name, numbers[index]!] as const)
      .filter(([, number]) => number >= 0)
      .map(([name, number]) => [name, number + numberBase])
  )
  tables.set(architecture, table)
  return table
}

const verdictOf = (action: string, errnoRet: number | undefined): number => {
  switch (action) {
    case "SCMP_ACT_ALLOW":
      return 0x7fff0000
    case "SCMP_ACT_LOG":
      return 0x7ffc0000
    case "SCMP_ACT_TRACE":
      return 0x7ff00000 + (errnoRet ?? 1)
    case "SCMP_ACT_ERRNO":
      return errno(errnoRet ?? 1)
    case "SCMP_ACT_TRAP":
      return 0x00030000
    case "SCMP_ACT_KILL_PROCESS":
      return 0x80000000
    default:
      return killThread
  }
}

const compare = ({ op, value, valueTwo }: SeccompArgument, argument: bigint, bits: number): boolean => {
  const left = BigInt.asUintN(bits, argument)
  const right = BigInt.asUintN(bits, BigInt(value))
  if (op === "SCMP_CMP_EQ") return left === right
  if (op === "SCMP_CMP_NE") return left !== right
  if (op === "SCMP_CMP_LT") return left < right
  if (op === "SCMP_CMP_LE") return left <= right
  if (op === "SCMP_CMP_GT") return left > right
  if (op === "SCMP_CMP_GE") return left >= right
  return (left & right) === (BigInt(valueTwo ?? 0) & right)
}

/** "socket" is call 1 of socketcall, and so on: linux/net.h, linux/ipc.h. */
const socketcalls = ("socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom " +
  "shutdown setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg").split(" ")
const ipcCalls = new Map([
  ["semop", 1], ["semget", 2], ["semctl", 3], ["semtimedop", 4], ["msgsnd", 11], ["msgrcv", 12], ["msgget", 13],
  ["msgctl", 14], ["shmat", 21], ["shmdt", 22], ["shmget", 23], ["shmctl", 24]
])

/** Whether the number is that of `socketcall` or `ipc` with the name's own call in the first argument. */
const isMultiplexed = (name: string, call: Call, table: Numbers): boolean => {
  const first = call.args[0] ?? 0n
  const socketcall = socketcalls.indexOf(name) + 1
  if (socketcall > 0 && table.get("socketcall") === call.number) return (first & 0xffffffffn) === BigInt(socketcall)
  const ipc = ipcCalls.get(name)
  return ipc !== undefined && table.get("ipc") === call.number && (first & 0xffffn) === BigInt(ipc)
}

const isTrivial = (argument: SeccompArgument, bits: number): boolean =>
  argument.op === "SCMP_CMP_MASKED_EQ" && BigInt.asUintN(bits, BigInt(argument.value)) === 0n

/** undefined: the rule is about other calls. Otherwise whether it has conditions, and whether they hold. */
const apply = (
  rule: Rule,
  call: Call,
  table: Numbers,
  bits: number
): { readonly conditional: boolean; readonly holds: boolean } | undefined => {
  const direct = rule.names.some((name) => table.get(name) === call.number)
  const multiplexed = rule.names.some((name) => isMultiplexed(name, call, table))
  if (!direct && !multiplexed) return undefined
  const args = rule.args ?? []
  const anyOf = new Set(args.map(({ index }) => index)).size < args.length
  const met = (argument: SeccompArgument): boolean => compare(argument, call.args[argument.index] ?? 0n, bits)
  if (direct) {
    const trivial = anyOf ? args.some((argument) => isTrivial(argument, bits)) : args.every((a) => isTrivial(a, bits))
    const holds = anyOf ? args.some(met) : args.every(met)
    if (trivial || (holds && !multiplexed)) return { conditional: !trivial, holds: true }
    if (!multiplexed) return { conditional: true, holds }
  }
  const rest = (argument: SeccompArgument): boolean => argument.index === 0 || met(argument)
  const throughMultiplexer = anyOf ? args.some(rest) : args.every(rest)
  return { conditional: true, holds: throughMultiplexer || (direct && (anyOf ? args.some(met) : args.every(met))) }
}

/** `listed` includes the machine's own architecture. */
export const meaning = (seccomp: OciSeccomp, listed: ReadonlyArray<Architecture>, call: Call): number => {
  const isX32Number = call.number >= 0x40000000
  const architecture = listed.find((candidate) =>
    architectureFacts(candidate).auditArchitecture === call.architecture &&
    (call.architecture !== 0xc000003e || (candidate === "SCMP_ARCH_X32") === isX32Number)
  )
  const byDefault = verdictOf(seccomp.defaultAction, seccomp.defaultErrnoRet)
  if (architecture === undefined) {
    const isTracersSkip = call.architecture === 0xc000003e && call.number === 0xffffffff &&
      listed.includes("SCMP_ARCH_X86_64")
    return isTracersSkip ? byDefault : killThread
  }
  const table = numbersOf(architecture)
  const bits = architectureFacts(architecture).argumentBits
  const rules = seccomp.syscalls ?? []
  const isPrivate = (number: number) => architecture === "SCMP_ARCH_ARM" && number >= 0xf0000 && number < 0x100000
  const named = rules.flatMap(({ names }) => names.flatMap((name) => [
    table.get(name),
    socketcalls.includes(name) ? table.get("socketcall") : undefined,
    ipcCalls.has(name) ? table.get("ipc") : undefined
  ])).filter((number) => number !== undefined && !isPrivate(number)) as Array<number>
  const forbids = !["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"].includes(seccomp.defaultAction)
  const enosys = forbids && named.length > 0
  if (enosys && architecture.startsWith("SCMP_ARCH_S390") && call.number === 0) return notImplemented

  const relevant = rules
    .map((rule) => ({ verdict: verdictOf(rule.action, rule.errnoRet), applied: apply(rule, call, table, bits) }))
    .filter(({ verdict, applied }) => verdict !== byDefault && applied !== undefined)
  const deciding = relevant.find(({ applied }) => !applied!.conditional) ??
    relevant.find(({ applied }) => applied!.holds)
  if (deciding !== undefined) return deciding.verdict
  // A call with rules whose conditions fail is known, however new.
  if (relevant.length > 0 || !enosys || isPrivate(call.number)) return byDefault
  return call.number > Math.max(...named) ? notImplemented : byDefault
}
