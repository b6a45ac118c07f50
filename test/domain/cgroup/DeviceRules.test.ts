import * as Result from "effect/Result"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { exceptionList, exceptionWrites } from "../../../src/domain/cgroup/DeviceExceptions.ts"
import { type DeviceRule, isAllowed } from "../../../src/domain/cgroup/DeviceRule.ts"
import { defaultRules, deviceRules, parseDeviceRule } from "../../../src/domain/cgroup/DeviceRules.ts"
import { deviceContext, deviceRule } from "./deviceArbitraries.ts"
import { LegacyDevices } from "./legacyDevices.ts"

const lines = (rules: ReadonlyArray<DeviceRule>): ReadonlyArray<string> =>
  exceptionWrites(Result.getOrThrow(exceptionList(rules))).map(({ file, value }) => `${file} ${value}`)

const applied = (rules: ReadonlyArray<DeviceRule>): LegacyDevices => {
  const kernel = new LegacyDevices()
  for (const { file, value } of exceptionWrites(Result.getOrThrow(exceptionList(rules)))) kernel.write(file, value)
  return kernel
}

const reason = (rules: ReadonlyArray<DeviceRule>): string =>
  Result.match(exceptionList(rules), { onSuccess: () => "accepted", onFailure: (text) => text })

describe("device rules on v1", () => {
  it("make the kernel decide as the rules mean it, whenever they are accepted", () => {
    let accepted = 0
    fc.assert(
      fc.property(
        fc.array(deviceRule, { maxLength: 8 }), fc.array(deviceContext, { minLength: 1, maxLength: 40 }),
        (rules, contexts) => {
          if (Result.isFailure(exceptionList(rules))) return
          accepted++
          const kernel = applied(rules)
          for (const context of contexts) {
            // With a default of "allow" the kernel shows every node to access(2), whatever it denies
            if (context.access === 0) continue
            expect({ context, verdict: kernel.permits(context) }).toEqual({ context, verdict: isAllowed(rules, context) })
          }
        }
      ),
      { numRuns: 3000 }
    )
    expect(accepted).toBeGreaterThan(1000)
  })

  it("are Docker's defaults in the kernel's words", () => {
    expect(lines(defaultRules)).toEqual([
      "devices.deny a", "devices.allow c *:* m", "devices.allow b *:* m", "devices.allow c 1:3 rwm",
      "devices.allow c 1:5 rwm", "devices.allow c 1:7 rwm", "devices.allow c 1:8 rwm", "devices.allow c 1:9 rwm",
      "devices.allow c 5:0 rwm", "devices.allow c 5:1 rwm", "devices.allow c 5:2 rwm", "devices.allow c 136:* rwm",
      "devices.allow c 10:200 rwm"
    ])
  })

  it("start from everything when that is allowed, and name what is not", () => {
    expect(lines([{ allow: true }])).toEqual(["devices.allow a"])
    expect(lines([{ allow: true }, { allow: false, type: "c", major: 1, minor: 3, access: "w" }]))
      .toEqual(["devices.allow a", "devices.deny c 1:3 w"])
  })

  it("say what two overlapping rules allow together, because the kernel does not add them up", () => {
    expect(lines([
      { allow: false }, { allow: true, type: "c", major: 4, access: "r" }, { allow: true, type: "c", minor: 7, access: "w" }
    ])).toContain("devices.allow c 4:7 rw")
  })

  it("take back what was allowed in the same or wider terms", () => {
    expect(lines([{ allow: false }, { allow: true, type: "c", major: 42 }, { allow: false, type: "c", major: 42, access: "w" }]))
      .toEqual(["devices.deny a", "devices.allow c 42:* rm"])
  })

  it("are refused where they make a hole in a wildcard, as runc refuses them", () => {
    expect(reason([{ allow: false }, { allow: true, type: "c", major: 42 }, { allow: false, type: "c", major: 42, minor: 3, access: "w" }]))
      .toBe("v1 control groups cannot deny c 42:3 w out of the wider c 42:* rwm")
  })

  it("read `a` with numbers or less than full access as both types, which the kernel alone would not", () => {
    expect(lines([{ allow: false }, { allow: true, type: "a", major: 42, access: "r" }]))
      .toEqual(["devices.deny a", "devices.allow c 42:* r", "devices.allow b 42:* r"])
  })
})

describe("--device-cgroup-rule", () => {
  it("takes the kernel's form", () => {
    expect(parseDeviceRule("c 42:* rmw")).toEqual(Result.succeed({ allow: true, type: "c", major: 42, access: "rmw" }))
    expect(parseDeviceRule("b 8:0 r")).toEqual(Result.succeed({ allow: true, type: "b", major: 8, minor: 0, access: "r" }))
    expect(parseDeviceRule("a *:* rwm")).toEqual(Result.succeed({ allow: true, type: "a", access: "rwm" }))
  })

  it.each([
    ["c 42:* rx", "not of the form"],
    ["d 42:* r", "not of the form"],
    ["c 42 r", "not of the form"],
    ["c 42:*  r", "not of the form"],
    ["c 42:* r\nc *:* rwm", "not of the form"],
    ["c -1:* r", "not of the form"],
    ["c 4096:* r", "largest major number is 4095"],
    ["c 1:1048576 r", "largest minor number is 1048575"],
    ["c 1:3 rr", "names an access twice"]
  ])("refuses %j and says why", (text, cause) => {
    const parsed = parseDeviceRule(text)
    expect(Result.isFailure(parsed) && parsed.failure).toContain(cause)
    expect(Result.isFailure(parsed) && parsed.failure).toContain("c 42:* rmw")
  })

  it("comes after the defaults and the mapped devices, so that it has the last word", () => {
    const rules = Result.getOrThrow(deviceRules({
      mapped: [{ allow: true, type: "b", major: 8, minor: 0, access: "r" }], rules: ["b 8:0 w"]
    }))
    expect(rules.slice(0, defaultRules.length)).toEqual(defaultRules)
    expect(rules.slice(defaultRules.length).map((rule) => rule.access)).toEqual(["r", "w"])
    expect(isAllowed(rules, { type: "b", major: 8, minor: 0, access: 6 })).toBe(true)
    expect(isAllowed(rules, { type: "b", major: 8, minor: 1, access: 2 })).toBe(false)
  })

  it("is limited in number", () => {
    const rules = deviceRules({ mapped: [], rules: Array.from({ length: 300 }, () => "c 1:3 r") })
    expect(Result.isFailure(rules) && rules.failure).toContain("more than the 256")
  })
})
