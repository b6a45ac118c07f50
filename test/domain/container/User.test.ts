import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import fc from "fast-check"
import { resolveUser } from "../../../src/domain/container/User.ts"

const files = {
  passwd: "root:x:0:0:root:/root:/bin/sh\n# a comment\nbroken\nalice:x:1000:1001:,,,:/home/alice:/bin/sh\nnohome:x:7:7::\n",
  group: "root:x:0:\nstaff:x:50:alice,bob\nwheel:x:10:alice\naudio:x:29:\n12345:x:77:\n"
}

const resolve = (user: string, groupAdd: ReadonlyArray<string> = []) => resolveUser(user, groupAdd, files)

describe("the user of a container's process", () => {
  it("is root with root's home when nobody is named", () => {
    assert.deepStrictEqual(resolve(""), Result.succeed({ uid: 0, gid: 0, groups: [], home: "/root" }))
  })

  it("by name brings the primary group, the home and the groups that list the name", () => {
    assert.deepStrictEqual(resolve("alice"), Result.succeed({ uid: 1000, gid: 1001, groups: [10, 50], home: "/home/alice" }))
  })

  it("by number is found in passwd too", () => {
    assert.deepStrictEqual(resolve("1000"), resolve("alice"))
  })

  it("that passwd does not know has the number, group 0 and the root directory as home", () => {
    assert.deepStrictEqual(resolve("4711"), Result.succeed({ uid: 4711, gid: 0, groups: [], home: "/" }))
  })

  it("with a group loses the groups that passwd and group would have brought", () => {
    assert.deepStrictEqual(resolve("alice:audio"), Result.succeed({ uid: 1000, gid: 29, groups: [], home: "/home/alice" }))
    assert.deepStrictEqual(resolve("alice:8"), Result.succeed({ uid: 1000, gid: 8, groups: [], home: "/home/alice" }))
  })

  it("prefers a group's name to its number when the name is a number", () => {
    assert.strictEqual(Result.getOrThrow(resolve("0:12345")).gid, 77)
  })

  it("gets what --group-add adds, each once and in order", () => {
    assert.deepStrictEqual(Result.getOrThrow(resolve("alice", ["audio", "50", "3"])).groups, [3, 10, 29, 50])
  })

  it("is refused when the name, the group or the number does not exist", () => {
    assert.match(String(Result.isFailure(resolve("bob")) && resolve("bob")), /unable to find user bob/)
    assert.isTrue(Result.isFailure(resolve("alice:nogroup")))
    assert.isTrue(Result.isFailure(resolve("", ["nogroup"])))
    assert.isTrue(Result.isFailure(resolve("2147483648")))
    assert.isTrue(Result.isFailure(resolve("-1")))
  })

  it("never has ids outside of the kernel's range, whatever the files say", () => {
    fc.assert(fc.property(fc.string(), fc.string(), fc.string(), (user, passwd, group) => {
      const resolved = resolveUser(user, [], { passwd, group })
      if (Result.isFailure(resolved)) return
      const { gid, groups, uid } = resolved.success
      for (const id of [uid, gid, ...groups]) assert.isTrue(Number.isInteger(id) && id >= 0 && id <= 0x7fffffff)
    }))
  })
})
