/**
 * Decides by the arguments of a call. BPF has 32-bit words only, so a 64-bit argument is decided by its high word
 * first, then by its low one. A comparison is a set of ranges: neighbouring rules that compare the same
 * argument become one search tree over its values instead of one test after another.
 */
import type { ArgumentCondition, Comparison, MaskedEquality } from "./ArgumentCondition.ts"
import { comparisonHolds } from "./ArgumentCondition.ts"
import { opcode, seccompData } from "./BpfInstruction.ts"
import { type BpfNode, step, test } from "./BpfNode.ts"
import { type Range, searchTree } from "./searchTree.ts"

export interface ArgumentLayout {
  readonly argumentBits: 32 | 64
  readonly bigEndian: boolean
}

export interface Alternative {
  readonly conditions: ReadonlyArray<ArgumentCondition>
  readonly node: BpfNode
}

/** To the node of the first alternative whose conditions all hold, else to `otherwise`. */
export const argumentTree = (
  alternatives: ReadonlyArray<Alternative>,
  otherwise: BpfNode,
  layout: ArgumentLayout
): BpfNode =>
  groupsOf(alternatives).reduceRight((next, group) => {
    const [first] = group
    return first!.conditions.length === 1 && first!.conditions[0]!.tag === "comparison"
      ? comparisonTree(group as ReadonlyArray<ComparingAlternative>, next, layout)
      : first!.conditions.reduceRight((met, condition) => conditionTree(condition, met, next, layout), first!.node)
  }, otherwise)

interface ComparingAlternative {
  readonly conditions: readonly [Comparison]
  readonly node: BpfNode
}

const groupsOf = (alternatives: ReadonlyArray<Alternative>): ReadonlyArray<ReadonlyArray<Alternative>> => {
  const compared = ({ conditions }: Alternative): number | undefined =>
    conditions.length === 1 && conditions[0]!.tag === "comparison" ? conditions[0]!.index : undefined
  const groups: Array<Array<Alternative>> = []
  for (const alternative of alternatives) {
    const group = groups.at(-1)
    const index = compared(alternative)
    if (group !== undefined && index !== undefined && compared(group[0]!) === index) group.push(alternative)
    else groups.push([alternative])
  }
  return groups
}

const conditionTree = (
  condition: ArgumentCondition,
  whenTrue: BpfNode,
  whenFalse: BpfNode,
  layout: ArgumentLayout
): BpfNode =>
  condition.tag === "masked"
    ? maskedTree(condition, whenTrue, whenFalse, layout)
    : comparisonTree([{ conditions: [condition], node: whenTrue }], whenFalse, layout)

/** Where the word of an argument lies; the kernel stores 64 bits in its own byte order. */
const wordOffset = (index: number, word: "low" | "high", { bigEndian }: ArgumentLayout): number =>
  seccompData.arguments + index * seccompData.argumentBytes + ((word === "high") === bigEndian ? 0 : 4)

const low = (value: bigint): number => Number(value & 0xffff_ffffn)
const high = (value: bigint): number => Number(value >> 32n)

const maskedTree = (
  { index, mask, value }: MaskedEquality,
  whenTrue: BpfNode,
  whenFalse: BpfNode,
  layout: ArgumentLayout
): BpfNode => {
  const word = (part: "low" | "high", wordMask: number, wordValue: number, met: BpfNode): BpfNode =>
    wordMask === 0
      ? met
      : step(opcode.loadWord, wordOffset(index, part, layout), maskedWord(wordMask, wordValue, met, whenFalse))
  return word("high", high(mask), high(value), word("low", low(mask), low(value), whenTrue))
}

const maskedWord = (mask: number, value: number, whenTrue: BpfNode, whenFalse: BpfNode): BpfNode => {
  if (value === 0) return test(opcode.jumpIfSet, mask, whenFalse, whenTrue)
  const isOneBit = (mask & (mask - 1)) === 0
  if (isOneBit) return test(opcode.jumpIfSet, mask, whenTrue, whenFalse)
  const equal = test(opcode.jumpIfEqual, value, whenTrue, whenFalse)
  return mask === 0xffff_ffff ? equal : step(opcode.and, mask, equal)
}

/** From `start` up to the next piece's start. */
interface Piece {
  readonly start: bigint
  readonly node: BpfNode
}

const comparisonTree = (
  alternatives: ReadonlyArray<ComparingAlternative>,
  otherwise: BpfNode,
  layout: ArgumentLayout
): BpfNode => {
  const comparisons = alternatives.map(({ conditions }) => conditions[0])
  const { index } = comparisons[0]!
  const starts = new Set(comparisons.flatMap(({ value }) => [value, value + 1n]).concat(0n))
  const pieces = [...starts]
    .filter((start) => start >> BigInt(layout.argumentBits) === 0n)
    .sort((left, right) => (left < right ? -1 : 1))
    .map((start) => {
      const found = alternatives.find(({ conditions }) => comparisonHolds(conditions[0], start))
      return { start, node: found?.node ?? otherwise }
    })
  const decideWord = (word: "low" | "high", ranges: ReadonlyArray<Range>): BpfNode =>
    step(opcode.loadWord, wordOffset(index, word, layout), searchTree(ranges))
  return layout.argumentBits === 32
    ? decideWord("low", pieces.map(({ start, node }) => ({ start: Number(start), node })))
    : decideWord("high", highWordRanges(mergeNeighbours(pieces), (ranges) => decideWord("low", ranges)))
}

const mergeNeighbours = (pieces: ReadonlyArray<Piece>): ReadonlyArray<Piece> =>
  pieces.filter(({ node }, index) => index === 0 || pieces[index - 1]!.node !== node)

/** A high word within which the verdict changes leads to a decision by the low word. */
const highWordRanges = (
  pieces: ReadonlyArray<Piece>,
  decideLow: (ranges: ReadonlyArray<Range>) => BpfNode
): ReadonlyArray<Range> => {
  const ranges: Array<Range> = []
  let index = 0
  while (index < pieces.length) {
    const word = high(pieces[index]!.start)
    const inWord: Array<Range> = []
    // The verdict that the word before ended with still stands at the beginning of this one.
    if (low(pieces[index]!.start) !== 0) inWord.push({ start: 0, node: pieces[index - 1]!.node })
    for (; index < pieces.length && high(pieces[index]!.start) === word; index++) {
      inWord.push({ start: low(pieces[index]!.start), node: pieces[index]!.node })
    }
    ranges.push({ start: word, node: inWord.length === 1 ? inWord[0]!.node : decideLow(inWord) })
    const nextWord = word + 1
    const last = inWord.at(-1)!
    if (inWord.length > 1 && nextWord <= 0xffff_ffff && nextWord !== high(pieces[index]?.start ?? -1n)) {
      ranges.push({ start: nextWord, node: last.node })
    }
  }
  return ranges
}
