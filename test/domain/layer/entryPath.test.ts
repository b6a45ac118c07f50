import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { resolveEntryPath, symlinkStaysInside } from "../../../src/domain/layer/entryPath.ts"
import { character } from "./archives.ts"

const resolve = (path: string) => Result.getOrThrow(resolveEntryPath(path))
const reasonOf = (path: string): string | undefined => {
  const result = resolveEntryPath(path)
  return Result.isFailure(result) ? result.failure.reason : undefined
}

describe("the path of an entry", () => {
  it.each([
    ["usr/bin/env", ["usr", "bin", "env"]],
    ["./usr//bin/./env/", ["usr", "bin", "env"]],
    ["/etc/passwd", ["etc", "passwd"]],
    ["///etc", ["etc"]],
    ["a/../b", ["b"]],
    ["a/b/../../c", ["c"]],
    ["/../../etc", ["etc"]],
    ["..a/b..", ["..a", "b.."]],
    ["", []],
    [".", []],
    ["/", []],
    ["a/..", []]
  ])("%j is %j below the root", (path, components) => {
    expect(resolve(path)).toEqual(components)
  })

  it.each(["..", "../etc/passwd", "a/../../b", "./../x"])("%j is refused: it leads out", (path) => {
    expect(reasonOf(path)).toMatch(/leads out/)
  })

  it("may be held at the root instead", () => {
    expect(Result.getOrThrow(resolveEntryPath("../../etc/../../x", "clamp"))).toEqual(["x"])
  })

  it("with a NUL, or a name of more than 255 bytes, is refused", () => {
    expect(reasonOf("a\0b")).toMatch(/NUL/)
    expect(reasonOf(`a/${"n".repeat(255)}`)).toBeUndefined()
    expect(reasonOf(`a/${"n".repeat(256)}`)).toMatch(/255/)
    expect(reasonOf(`a/${"é".repeat(128)}`)).toMatch(/255/)
  })

  it("whatever it is, never has a component that leads anywhere else", () => {
    const part = fc.oneof(
      fc.constantFrom("", ".", "..", "a", "/"),
      fc.string({ unit: character, maxLength: 5 })
    )
    fc.assert(
      fc.property(
        fc.array(part),
        fc.constantFrom("refuse" as const, "clamp" as const),
        (parts, climbing) => {
          const result = resolveEntryPath(parts.join("/"), climbing)
          if (Result.isFailure(result)) return
          for (const name of result.success) {
            expect(name).not.toMatch(/[/\0]/)
            expect(["", ".", ".."]).not.toContain(name)
          }
          expect(resolve(result.success.join("/"))).toEqual(result.success)
        }
      )
    )
  })
})

describe("a symlink", () => {
  it.each([
    [["a"], "b", true],
    [["a"], "..", false],
    [["etc", "mtab"], "../proc/mounts", true],
    [["etc", "mtab"], "../../x", false],
    [["a", "b", "c"], "../../x", true],
    [["a", "b"], "../x/../../y", false],
    [["a"], "/etc/passwd", true],
    [["a"], "/../../x", true],
    [["a"], "x/../y", true]
  ])("at %j to %j stays inside: %s", (link, target, inside) => {
    expect(symlinkStaysInside(link, target)).toBe(inside)
  })
})
