/**
 * What a profile says about each call number of one architecture, with its contradictions settled. The
 * profile is a list; its rules about one call combine as with runc and crun over libseccomp:
 *
 * 1. A rule whose action is the default one says nothing, and is left out.
 * 2. The first rule without conditions decides alone: rules with conditions, before or after, are void.
 * 3. Otherwise the first rule, in the profile's order, whose conditions all hold. (libseccomp orders such
 *    rules by their values; it makes no difference unless they overlap and their actions differ.)
 * 4. Otherwise the default action.
 *
 * A rule with two conditions on the same argument stands for one rule for each of its conditions.
 */
import { type Architecture, architectureFacts } from "./Architecture.ts"
import { type ArgumentCondition, argumentCondition } from "./ArgumentCondition.ts"
import type { SeccompArgument } from "./OciSeccomp.ts"
import { absent, type MultiplexedCall, multiplexedCall, syscallNumbers } from "./SyscallNumbers.ts"

/** One entry of `linux.seccomp.syscalls`. */
export interface SyscallRule {
  /** Indexes of SyscallNumbers. */
  readonly calls: ReadonlyArray<number>
  readonly verdict: number
  readonly args: ReadonlyArray<SeccompArgument>
}

/** The conditions are at least one, and all must hold. */
export interface ConditionalVerdict {
  readonly conditions: ReadonlyArray<ArgumentCondition>
  readonly verdict: number
}

export interface CallRules {
  /** Tried in order. */
  readonly conditional: ReadonlyArray<ConditionalVerdict>
  /** When none holds. */
  readonly otherwise: number
}

export interface ArchitectureRules {
  readonly calls: ReadonlyMap<number, CallRules>
  /** The largest number that the profile has a rule for, whatever it says; undefined if it has none. */
  readonly newestCall: number | undefined
}

/**
 * ARM's private calls (set_tls, cacheflush, …) lie apart, so they say nothing about age: __ARM_NR_BASE of
 * asm/unistd.h, and arm_syscall in arch/arm/kernel/traps.c for the end.
 */
export const armPrivateCalls = { start: 0x0f_0000, end: 0x10_0000 }

export const architectureRules = (
  rules: ReadonlyArray<SyscallRule>,
  defaultVerdict: number,
  architecture: Architecture
): ArchitectureRules => {
  const { argumentBits, numberBase } = architectureFacts(architecture)
  const numbers = syscallNumbers(architecture)
  const agesEnd = architecture === "SCMP_ARCH_ARM" ? armPrivateCalls.start : Infinity
  const calls = new Map<number, MutableCallRules>()
  let newestCall = -1
  for (const { calls: indexes, args, verdict } of rules) {
    const ways = waysToMeet(args, argumentBits)
    const decided = ways.some(isAlwaysMet) ? { conditional: [], otherwise: verdict } : undefined
    for (const index of indexes) {
      const number = numbers[index]!
      if (number !== absent) {
        const called = number + numberBase
        if (called > newestCall && called < agesEnd) newestCall = called
        if (verdict !== defaultVerdict) addRule(calls, called, ways, decided, verdict, defaultVerdict)
      }
      const multiplexed = multiplexedCall(index)
      const through = multiplexed === undefined ? absent : numbers[multiplexed.through]!
      if (through !== absent) {
        const called = through + numberBase
        if (called > newestCall) newestCall = called
        if (verdict !== defaultVerdict) {
          const multiplexedWays = ways.map((conditions) => whenMultiplexed(multiplexed!, conditions))
          addRule(calls, called, multiplexedWays, undefined, verdict, defaultVerdict)
        }
      }
    }
  }
  return { calls, newestCall: newestCall < 0 ? undefined : newestCall }
}

interface MutableCallRules extends CallRules {
  readonly conditional: Array<ConditionalVerdict>
}

/** `decided`: what to keep when one of the ways is to meet no condition at all. */
const addRule = (
  calls: Map<number, MutableCallRules>,
  number: number,
  ways: ReadonlyArray<Conditions>,
  decided: MutableCallRules | undefined,
  verdict: number,
  defaultVerdict: number
): void => {
  const known = calls.get(number)
  if (known !== undefined && known.conditional.length === 0) return
  if (decided !== undefined) {
    calls.set(number, decided)
    return
  }
  const rules = known ?? { conditional: [], otherwise: defaultVerdict }
  for (const conditions of ways) rules.conditional.push({ conditions, verdict })
  if (known === undefined) calls.set(number, rules)
}

/** All must hold. */
type Conditions = ReadonlyArray<ArgumentCondition>

const isAlwaysMet = (conditions: Conditions): boolean => conditions.length === 0

const waysToMeet = (args: ReadonlyArray<SeccompArgument>, bits: 32 | 64): ReadonlyArray<Conditions> => {
  if (args.length === 0) return [[]]
  const each = args.map((argument): Conditions => {
    const condition = argumentCondition(argument, bits)
    return condition === undefined ? [] : [condition]
  })
  const isAboutOneTwice = new Set(args.map(({ index }) => index)).size < args.length
  return isAboutOneTwice ? each : [each.flat()]
}

/**
 * `socket` is also `socketcall(1, …)`. What the call's own arguments are cannot be seen there, they lie in
 * memory: as in libseccomp the condition on the first one gives way to the test for the call, others stay.
 */
const whenMultiplexed = ({ mask, call }: MultiplexedCall, conditions: Conditions): Conditions => [
  { tag: "masked", index: 0, mask, value: call },
  ...conditions.filter(({ index }) => index !== 0)
]
