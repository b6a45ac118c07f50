/** The whole filter as a graph: first by architecture, then by call number, then by the call's arguments. */
import { type Architecture, architectureFacts, x32Bit } from "./Architecture.ts"
import type { ArgumentCondition } from "./ArgumentCondition.ts"
import { type ArgumentLayout, argumentTree } from "./argumentTree.ts"
import { opcode, seccompData } from "./BpfInstruction.ts"
import { type BpfNode, step, test } from "./BpfNode.ts"
import { type Range, searchTree } from "./searchTree.ts"
import {
  type ArchitectureRules,
  architectureRules,
  armPrivateCalls,
  type CallRules,
  type SyscallRule
} from "./SyscallRules.ts"
import { notImplementedVerdict, unlistedArchitectureVerdict } from "./verdict.ts"

export interface FilterPolicy {
  /** Each at most once; the first is decided fastest. */
  readonly architectures: ReadonlyArray<Architecture>
  readonly rules: ReadonlyArray<SyscallRule>
  readonly defaultVerdict: number
  /** Whether numbers beyond the newest call that the rules name get ENOSYS instead of the default. */
  readonly newerIsNotImplemented: boolean
}

export const filterTree = (policy: FilterPolicy): BpfNode => {
  const outcomes = makeOutcomes()
  const byAuditArchitecture = Map.groupBy(
    policy.architectures,
    (architecture) => architectureFacts(architecture).auditArchitecture
  )
  const dispatch = [...byAuditArchitecture].reduceRight<BpfNode>(
    (next, [auditArchitecture, architectures]) =>
      test(opcode.jumpIfEqual, auditArchitecture, numberTree(policy, architectures, outcomes), next),
    outcomes.verdict(unlistedArchitectureVerdict)
  )
  return step(opcode.loadWord, seccompData.architecture, dispatch)
}

interface Outcomes {
  /** Equal verdicts, and equal decisions by arguments, are one node: ranges of them merge, code is shared. */
  readonly verdict: (value: number) => BpfNode
  readonly call: (rules: CallRules, layout: ArgumentLayout) => BpfNode
}

const makeOutcomes = (): Outcomes => {
  const verdicts = new Map<number, BpfNode>()
  const decisions = new Map<string, BpfNode>()
  const verdict = (value: number): BpfNode => {
    const known = verdicts.get(value)
    if (known !== undefined) return known
    const node: BpfNode = { tag: "return", value: value >>> 0 }
    verdicts.set(value, node)
    return node
  }
  const call = (rules: CallRules, layout: ArgumentLayout): BpfNode => {
    const otherwise = verdict(rules.otherwise)
    if (rules.conditional.length === 0) return otherwise
    const key = decisionKey(rules, layout)
    const known = decisions.get(key)
    if (known !== undefined) return known
    const alternatives = rules.conditional.map((rule) => ({
      conditions: rule.conditions,
      node: verdict(rule.verdict)
    }))
    const node = argumentTree(alternatives, otherwise, layout)
    decisions.set(key, node)
    return node
  }
  return { verdict, call }
}

const decisionKey = (rules: CallRules, { argumentBits, bigEndian }: ArgumentLayout): string => {
  const text = (condition: ArgumentCondition): string =>
    condition.tag === "masked"
      ? `${condition.index}&${condition.mask}=${condition.value}`
      : `${condition.index}${condition.operator}${condition.value}`
  const conditional = rules.conditional.map(({ conditions, verdict }) => `${conditions.map(text).join()}:${verdict}`)
  return [argumentBits, bigEndian, ...conditional, rules.otherwise].join(";")
}

/** Calls of all architectures that share one value of `seccomp_data.arch`: of one, or of x86_64 and x32. */
const numberTree = (
  policy: FilterPolicy,
  architectures: ReadonlyArray<Architecture>,
  outcomes: Outcomes
): BpfNode => {
  const rangesOf = (architecture: Architecture): ReadonlyArray<Range> => {
    const rules = architectureRules(policy.rules, policy.defaultVerdict, architecture)
    const unruled = unruledNumbers(policy, architecture, rules.newestCall, outcomes)
    return overlay(rules, unruled, (call) => outcomes.call(call, architectureFacts(architecture)))
  }
  const ranges = new Map(architectures.map((architecture) => [architecture, rangesOf(architecture)]))
  return step(opcode.loadWord, seccompData.number, searchTree(joinX32(ranges, policy, outcomes)))
}

/** The verdicts of numbers that have no rule. */
const unruledNumbers = (
  policy: FilterPolicy,
  architecture: Architecture,
  newestCall: number | undefined,
  outcomes: Outcomes
): ReadonlyArray<Range> => {
  const otherwise = outcomes.verdict(policy.defaultVerdict)
  const first = architecture === "SCMP_ARCH_X32" ? x32Bit : 0
  if (!policy.newerIsNotImplemented || newestCall === undefined) return [{ start: first, node: otherwise }]
  const notImplemented = outcomes.verdict(notImplementedVerdict)
  const known = [{ start: first, node: otherwise }, { start: newestCall + 1, node: notImplemented }]
  switch (architecture) {
    case "SCMP_ARCH_ARM":
      return [
        ...known,
        { start: armPrivateCalls.start, node: otherwise },
        { start: armPrivateCalls.end, node: notImplemented }
      ]
    case "SCMP_ARCH_S390":
    case "SCMP_ARCH_S390X":
      // Calls that the kernel does not know arrive as number 0: runc's enosys_linux.go tells why.
      return [{ start: 0, node: notImplemented }, { start: 1, node: otherwise }, ...known.slice(1)]
    default:
      return known
  }
}

/**
 * x86_64 and x32 differ by a bit of the number; where only one of them is listed, the numbers of the other are
 * those of an unlisted architecture. Save -1: by that a tracer has the kernel skip the call (seccomp(2), ptrace(2)).
 */
const joinX32 = (
  ranges: ReadonlyMap<Architecture, ReadonlyArray<Range>>,
  policy: FilterPolicy,
  outcomes: Outcomes
): ReadonlyArray<Range> => {
  const unlisted = outcomes.verdict(unlistedArchitectureVerdict)
  const x64 = ranges.get("SCMP_ARCH_X86_64")
  const x32 = ranges.get("SCMP_ARCH_X32")
  if (x64 === undefined && x32 === undefined) return [...ranges.values()].flat()
  return [
    ...(x64 ?? [{ start: 0, node: unlisted }]),
    ...(x32 ?? [
      { start: x32Bit, node: unlisted },
      { start: 0xffff_ffff, node: outcomes.verdict(policy.defaultVerdict) }
    ])
  ]
}

/** Rules about single numbers laid over the ranges of those that have none. */
const overlay = (
  { calls }: ArchitectureRules,
  unruled: ReadonlyArray<Range>,
  nodeOf: (call: CallRules) => BpfNode
): ReadonlyArray<Range> => {
  const ranges: Array<Range> = []
  /** The first number that no range covers yet. */
  let next = unruled[0]!.start
  let below = 0
  const fillUpTo = (end: number): void => {
    while (next < end) {
      while (below + 1 < unruled.length && unruled[below + 1]!.start <= next) below++
      ranges.push({ start: next, node: unruled[below]!.node })
      next = Math.min(end, unruled[below + 1]?.start ?? end)
    }
  }
  let previous: CallRules | undefined
  for (const number of Uint32Array.from(calls.keys()).sort()) {
    const call = calls.get(number)!
    if (number !== next || call !== previous) {
      fillUpTo(number)
      ranges.push({ start: number, node: nodeOf(call) })
    }
    previous = call
    next = number + 1
  }
  fillUpTo(2 ** 32)
  return ranges
}
