import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { allowsAll, deviceInstructions, deviceProgram } from "../../../src/domain/cgroup/DeviceProgram.ts"
import { type DeviceRule, isAllowed, liveRules, maximumRules } from "../../../src/domain/cgroup/DeviceRule.ts"
import { defaultRules } from "../../../src/domain/cgroup/DeviceRules.ts"
import { deviceContext, deviceRule } from "./deviceArbitraries.ts"
import { type DeviceContext, evaluateEbpf, verifierFaults } from "./evaluateEbpf.ts"

const ask = (rules: ReadonlyArray<DeviceRule>, text: string): number => {
  const [type, major, minor, letters] = text.split(/[ :]/) as ["b" | "c", string, string, string | undefined]
  const bits: { readonly [letter: string]: number } = { m: 1, r: 2, w: 4 }
  const access = [...letters ?? ""].reduce((sum, letter) => sum | bits[letter]!, 0)
  return evaluateEbpf(deviceProgram(rules), { type, major: Number(major), minor: Number(minor), access })
}

const deny: DeviceRule = { allow: false }
const allow: DeviceRule = { allow: true }

describe("a device program", () => {
  it("decides every access as its rules mean it", () => {
    fc.assert(
      fc.property(
        fc.array(deviceRule, { maxLength: 12 }), fc.array(deviceContext, { minLength: 1, maxLength: 40 }),
        (rules, contexts) => {
          const program = deviceProgram(rules)
          for (const context of contexts) {
            expect({ context, verdict: evaluateEbpf(program, context) === 1 })
              .toEqual({ context, verdict: isAllowed(rules, context) })
          }
        }
      ),
      { numRuns: 3000 }
    )
  })

  it("has nothing that the kernel's verifier would refuse", () => {
    fc.assert(fc.property(fc.array(deviceRule, { maxLength: 20 }), (rules) => {
      expect(verifierFaults(deviceProgram(rules))).toEqual([])
    }), { numRuns: 1000 })
  })

  it("fits into 4096 instructions with as many rules as there may be, of the longest kind", () => {
    const rules = Array.from({ length: maximumRules }, (_, index): DeviceRule => (
      { allow: index % 2 === 0, type: "c", major: index, minor: index, access: index % 3 === 0 ? "r" : "wm" }
    ))
    expect(verifierFaults(deviceProgram(rules))).toEqual([])
  })

  it("denies everything for no rules at all, and after a total denial", () => {
    for (const rules of [[], [deny], [allow, deny], [{ allow: true, type: "c", major: 1, minor: 3 }, deny] as const]) {
      expect(ask(rules, "c 1:3 r")).toBe(0)
      expect(ask(rules, "c 1:3")).toBe(0)
      expect(deviceInstructions(rules).length).toBeLessThanOrEqual(9)
    }
  })

  it("does not let a denied bit through because another bit was asked with it", () => {
    const rules: ReadonlyArray<DeviceRule> = [allow, { allow: false, type: "c", major: 1, minor: 3, access: "w" }]
    expect(ask(rules, "c 1:3 r")).toBe(1)
    expect(ask(rules, "c 1:3 w")).toBe(0)
    expect(ask(rules, "c 1:3 rw")).toBe(0)
    expect(ask(rules, "c 1:4 rw")).toBe(1)
  })

  it("adds up what several rules allow", () => {
    const rules: ReadonlyArray<DeviceRule> = [
      deny, { allow: true, type: "c", major: 4, access: "r" }, { allow: true, type: "c", minor: 7, access: "w" }
    ]
    expect(ask(rules, "c 4:7 rw")).toBe(1)
    expect(ask(rules, "c 4:7 rwm")).toBe(0)
    expect(ask(rules, "c 4:8 rw")).toBe(0)
  })

  it("lets a program see that a node exists when it may do something with it", () => {
    const rules: ReadonlyArray<DeviceRule> = [
      deny, { allow: true, type: "c", major: 1, access: "rw" }, { allow: false, type: "c", major: 1, access: "w" },
      { allow: true, type: "b", major: 7, access: "w" }, { allow: false, type: "b", major: 7, access: "wr" }
    ]
    expect(ask(rules, "c 1:3")).toBe(1)
    expect(ask(rules, "b 7:0")).toBe(0)
    expect(ask(rules, "c 2:0")).toBe(0)
  })

  it("gives every container Docker's devices, and no disk", () => {
    const table: ReadonlyArray<readonly [string, number]> = [
      ["c 1:3 rw", 1], ["c 1:5 r", 1], ["c 1:7 w", 1], ["c 1:8 r", 1], ["c 1:9 r", 1], ["c 5:0 rw", 1], ["c 5:1 rw", 1],
      ["c 5:2 rw", 1], ["c 136:0 rw", 1], ["c 136:77 rw", 1], ["c 10:200 rw", 1],
      ["c 1:1 r", 0], ["c 1:1 m", 1], ["c 4:1 w", 0], ["b 8:0 r", 0], ["b 8:0 m", 1], ["b 8:0 rm", 0], ["c 10:229 rw", 0]
    ]
    for (const [access, verdict] of table) expect([access, ask(defaultRules, access)]).toEqual([access, verdict])
  })
})

describe("live rules", () => {
  const meaning = (rules: ReadonlyArray<DeviceRule>, context: DeviceContext) => isAllowed(rules, context)

  it("mean the same as all rules", () => {
    fc.assert(fc.property(fc.array(deviceRule, { maxLength: 12 }), deviceContext, (rules, context) => {
      const live = liveRules(rules).map(({ access, major = -1, minor = -1, ...rest }) =>
        ({ ...rest, major, minor, access: ["m", "r", "w"].filter((_, bit) => (access & 1 << bit) !== 0).join("") })
      )
      expect(live.length).toBeLessThanOrEqual(rules.length)
      expect(meaning(live, context)).toBe(meaning(rules, context))
    }), { numRuns: 2000 })
  })

  it("restrict nothing only when the last word allows all", () => {
    expect(allowsAll([allow])).toBe(true)
    expect(allowsAll([deny, { allow: true, type: "c", major: 1 }, { allow: true, access: "rwm" }])).toBe(true)
    expect(allowsAll([])).toBe(false)
    expect(allowsAll([{ allow: true, access: "rw" }])).toBe(false)
    expect(allowsAll([allow, { allow: false, type: "b", major: 8 }])).toBe(false)
  })
})
