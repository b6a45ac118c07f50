/** Device rules and accesses that meet often: few numbers, wildcards, and every access. */
import fc from "fast-check"
import type { DeviceRule } from "../../../src/domain/cgroup/DeviceRule.ts"
import type { DeviceContext } from "./evaluateEbpf.ts"

const number = fc.constantFrom(0, 1, 3, 4095)
const type = fc.constantFrom("b" as const, "c" as const)

export const deviceRule: fc.Arbitrary<DeviceRule> = fc.record(
  {
    allow: fc.boolean(),
    type: fc.constantFrom("a" as const, "b" as const, "c" as const),
    major: fc.oneof(fc.constant(-1), number),
    minor: fc.oneof(fc.constant(-1), number),
    access: fc.constantFrom("r", "w", "m", "rw", "rm", "wm", "rwm", "mwr", "")
  },
  { requiredKeys: ["allow"] }
)

export const deviceContext: fc.Arbitrary<DeviceContext> = fc.record({
  type, major: number, minor: fc.oneof(number, fc.constant(1_048_575)), access: fc.integer({ min: 0, max: 7 })
})
