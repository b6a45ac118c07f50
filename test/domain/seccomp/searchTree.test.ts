import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { assemble } from "../../../src/domain/seccomp/assemble.ts"
import { encodeInstructions, opcode } from "../../../src/domain/seccomp/BpfInstruction.ts"
import { type BpfNode, step, test } from "../../../src/domain/seccomp/BpfNode.ts"
import { type Range, searchTree } from "../../../src/domain/seccomp/searchTree.ts"
import { evaluate, faultsOf } from "./evaluate.ts"

const verdicts = Array.from({ length: 4 }, (_, value): BpfNode => ({ tag: "return", value }))

/** Narrow ranges beside wide ones, so that single values interrupt others and neighbours are equal. */
const width = fc.oneof(fc.constantFrom(1, 1, 1, 2, 3), fc.integer({ min: 1, max: 0x3fffff }))
const ranges: fc.Arbitrary<ReadonlyArray<Range>> = fc.array(
  fc.tuple(width, fc.constantFrom(...verdicts)),
  { minLength: 1, maxLength: 200, size: "max" }
).map((pieces) => {
  let start = 0
  return pieces.map(([wide, node]) => {
    const range = { start, node }
    start += wide
    return range
  })
})

const programOf = (some: ReadonlyArray<Range>) =>
  encodeInstructions(assemble(step(opcode.loadWord, 0, searchTree(some)))!)

const byNumber = (program: Uint8Array, number: number) =>
  evaluate(program, { architecture: 0, number, args: [] })

describe("a search tree", () => {
  it("finds the range of every value", () => {
    fc.assert(fc.property(ranges, (some) => {
      const program = programOf(some)
      expect(faultsOf(program)).toEqual([])
      const values = some.flatMap(({ start }) => [start, start + 1, Math.max(0, start - 1)]).concat(0xffffffff)
      for (const number of values) {
        expect([number, byNumber(program, number).verdict]).toEqual([number, verdictAt(some, number)])
      }
    }))
  })

  it("is no deeper than its ranges demand, and at most one test for each border", () => {
    fc.assert(fc.property(ranges, (some) => {
      const program = programOf(some)
      const longest = Math.max(...some.map(({ start }) => byNumber(program, start).executed))
      // All but the load and the verdict are tests.
      expect(longest - 2).toBeLessThanOrEqual(Math.ceil(Math.log2(some.length)) + 2)
      const borders = some.filter(({ node }, index) => index > 0 && some[index - 1]!.node !== node).length
      expect(program.length / 8 - 1).toBeLessThanOrEqual(borders + verdicts.length)
    }))
  })

  it("asks once, not twice, for a single value within a range", () => {
    const [first, second] = verdicts as [BpfNode, BpfNode]
    const some = [10, 20, 30, 40].flatMap((start) => [{ start, node: second }, { start: start + 1, node: first }])
    const tests = programOf([{ start: 0, node: first }, ...some]).length / 8 - 3
    expect(tests).toBe(5)
  })
})

const verdictAt = (some: ReadonlyArray<Range>, number: number): number => {
  const { node } = some.findLast(({ start }) => start <= number)!
  return node.tag === "return" ? node.value : NaN
}

describe("an assembled program", () => {
  it("bridges any distance with stepping stones", () => {
    const chain = (length: number): BpfNode =>
      Array.from({ length }).reduce<BpfNode>(
        (next, _, index) => test(opcode.jumpIfEqual, length - index, loads, next),
        verdicts[0]!
      )
    // Not a verdict, so that it cannot be copied and has to be jumped to.
    const loads: BpfNode = {
      tag: "step",
      code: opcode.loadWord,
      operand: 4,
      next: test(opcode.jumpIfEqual, 7, verdicts[1]!, verdicts[2]!)
    }
    const program = encodeInstructions(assemble(step(opcode.loadWord, 0, chain(1000)))!)
    expect(faultsOf(program)).toEqual([])
    const decide = (number: number, architecture: number) =>
      evaluate(program, { architecture, number, args: [] }).verdict
    expect([decide(1, 7), decide(500, 7), decide(1000, 8), decide(1001, 7)]).toEqual([1, 1, 2, 0])
    expect(program.length / 8).toBeLessThan(1020)
    expect(assemble(chain(4092))?.length).toBeUndefined()
    expect(assemble(chain(1_000_000))).toBeUndefined()
  })

  it("jumps where two ways to load lead to one test", () => {
    const shared = test(opcode.jumpIfEqual, 7, verdicts[1]!, verdicts[2]!)
    const load = (offset: number) => step(opcode.loadWord, offset, shared)
    const fork = test(opcode.jumpIfEqual, 1, load(16), load(24))
    const program = encodeInstructions(assemble(step(opcode.loadWord, 0, fork))!)
    expect(faultsOf(program)).toEqual([])
    const decide = (number: number, ...args: ReadonlyArray<bigint>) =>
      evaluate(program, { architecture: 0x40000000, number, args }).verdict
    expect([decide(1, 7n, 0n), decide(1, 0n, 7n), decide(2, 7n, 0n), decide(2, 0n, 7n)]).toEqual([1, 2, 2, 1])
  })

  it("is encoded as struct sock_filter, little endian", () => {
    const instruction = { code: 0x15, jt: 1, jf: 255, k: 0xc000003e }
    expect([...encodeInstructions([instruction])]).toEqual([0x15, 0, 1, 255, 0x3e, 0, 0, 0xc0])
  })
})
