import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import fc from "fast-check"
import { capabilityNames, capabilitySet, defaultCapabilities } from "../../../src/domain/container/Capability.ts"

const held = capabilityNames.map((_, number) => number)
const set = (add: ReadonlyArray<string>, drop: ReadonlyArray<string>, privileged = false) =>
  Result.getOrThrow(capabilitySet({ add, drop, privileged, held }))
const sorted = (names: ReadonlyArray<string>) => capabilityNames.filter((name) => names.includes(name))

describe("a container's capabilities", () => {
  it("are Docker's fourteen by default", () => {
    assert.deepStrictEqual(set([], []), sorted(defaultCapabilities))
    assert.strictEqual(defaultCapabilities.length, 14)
  })

  it("can be named with and without CAP_, in either case", () => {
    assert.include(set(["net_admin"], []), "CAP_NET_ADMIN")
    assert.notInclude(set([], ["cap_kill"]), "CAP_KILL")
  })

  it("start from none after --cap-drop ALL and from all after --cap-add ALL", () => {
    assert.deepStrictEqual(set(["CHOWN"], ["ALL"]), ["CAP_CHOWN"])
    assert.deepStrictEqual(set(["ALL"], ["SYS_ADMIN"]), capabilityNames.filter((name) => name !== "CAP_SYS_ADMIN"))
  })

  it("are all of the kernel's with --privileged, whatever else is said", () => {
    assert.deepStrictEqual(set([], ["ALL"], true), [...capabilityNames])
  })

  it("never hold one that the engine does not have", () => {
    const some = Result.getOrThrow(capabilitySet({ add: ["ALL"], drop: [], privileged: false, held: held.slice(0, 38) }))
    assert.strictEqual(some.length, 38)
  })

  it("are refused when the name is nobody's", () => {
    assert.deepStrictEqual(
      capabilitySet({ add: ["FLY"], drop: [], privileged: false, held }), Result.fail("CAP_FLY")
    )
  })

  it("of an explicit drop are gone unless ALL was dropped and they were added back", () => {
    const name = fc.constantFrom(...capabilityNames)
    fc.assert(fc.property(fc.array(name), fc.array(name), (add, drop) => {
      const got = set(add, drop)
      for (const one of add) assert.include(got, one)
      for (const one of drop) if (!add.includes(one)) assert.notInclude(got, one)
    }))
  })
})
