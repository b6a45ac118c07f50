import * as Result from "effect/Result"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { formatCpuList, maximumCpus, parseCpuList } from "../../../src/domain/cgroup/CpuList.ts"

const read = (text: string) => Result.getOrThrow(parseCpuList(text, "CPUs"))

describe("a list of CPUs", () => {
  it.each([
    ["", []], ["\n", []], ["0", [0]], ["0-3\n", [0, 1, 2, 3]], ["5,0-1,1", [0, 1, 5]], ["7-7", [7]]
  ])("%j is %j", (text, numbers) => {
    expect(read(text)).toEqual(numbers)
  })

  it("is written and read back unchanged, in whatever order it was given", () => {
    fc.assert(fc.property(fc.array(fc.nat(maximumCpus - 1)), (numbers) => {
      expect(read(formatCpuList(numbers))).toEqual([...new Set(numbers)].sort((a, b) => a - b))
    }))
  })

  it("is written in the shortest way, as the kernel does", () => {
    expect(formatCpuList([3, 1, 2, 9, 7, 8, 0, 12])).toBe("0-3,7-9,12")
    fc.assert(fc.property(fc.array(fc.nat(40)), (numbers) => {
      expect(formatCpuList(read(formatCpuList(numbers)))).toBe(formatCpuList(numbers))
    }))
  })

  it.each([
    ["a", "neither a number nor a range"], ["0,,1", "neither"], ["1-", "neither"], ["-1", "neither"], ["0-3:1/2", "neither"],
    ["3-1", "backwards"], ["0-8192", "largest number, 8191"], ["0-99999", "largest number"], ["0,".repeat(40_000), "too long"]
  ])("refuses %.20j", (text, reason) => {
    const parsed = parseCpuList(text, "CPUs")
    expect(Result.isFailure(parsed) && parsed.failure.message).toContain(reason)
  })
})
