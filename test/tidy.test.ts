/** Keeps the house tidy: which room may import which, no dead files, no names that say nothing. */
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"

const root = resolve(import.meta.dirname, "..")

const filesBelow = (directory: string): ReadonlyArray<string> =>
  readdirSync(join(root, directory), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(ts|c|h)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !path.startsWith("native/build/"))

const text = (path: string): string => readFileSync(join(root, path), "utf8")

const importPattern = /(?:^|\n)\s*(?:import|export)\b[^"'\n]*(?:\n[^"']*?)?from\s+"([^"]+)"|import\("([^"]+)"\)|import\s+"([^"]+)"/g

/** Imports of a file: packages as written, own files as paths from the root. */
const importsOf = (path: string): ReadonlyArray<string> =>
  [...text(path).matchAll(importPattern)].map((match) => {
    const name = match[1] ?? match[2] ?? match[3] ?? ""
    return name.startsWith(".") ? relative(root, resolve(root, dirname(path), name)) : name
  })

const sources = filesBelow("src")

/** What each room may import of ours; `packages`: what else. */
const rooms: ReadonlyArray<{ readonly room: string; readonly own: ReadonlyArray<string>; readonly packages: RegExp }> = [
  { room: "src/domain/", own: ["src/domain/"], packages: /^effect\/(?!Effect$|Layer$|Runtime$)/ },
  { room: "src/programs/", own: ["src/domain/", "src/programs/"], packages: /^effect\// },
  { room: "src/interpreters/middleware/", own: ["src/domain/", "src/programs/", "src/interpreters/middleware/"], packages: /^effect\// },
  { room: "src/interpreters/simulated/", own: ["src/domain/", "src/programs/", "src/interpreters/simulated/"], packages: /^(effect\/|node:(zlib|buffer)$)/ },
  { room: "src/interpreters/linux/", own: ["src/domain/", "src/programs/", "src/interpreters/linux/"], packages: /^(effect\/|node:)/ },
  { room: "src/testing/", own: ["src/domain/", "src/programs/", "src/interpreters/simulated/", "src/interpreters/middleware/", "src/testing/"], packages: /^(effect\/|fast-check$)/ },
  { room: "src/cli/", own: ["src/"], packages: /^(effect\/|node:)/ }
]

describe("the rooms of the house", () => {
  for (const { own, packages, room } of rooms) {
    it(`${room} imports only what is below it`, () => {
      const wrong = sources.filter((path) => path.startsWith(room)).flatMap((path) =>
        importsOf(path)
          .filter((name) => name.startsWith("src/") ? !own.some((allowed) => name.startsWith(allowed)) : !packages.test(name))
          .map((name) => `${path} imports ${name}`)
      )
      assert.deepStrictEqual(wrong, [])
    })
  }

  it("every source file belongs to a room and is used by an entry point", () => {
    const entries = ["src/cli/entry.ts", "src/cli/main.ts", "src/testing/index.ts", "src/index.ts"].filter((path) => sources.includes(path))
    const reached = new Set<string>()
    const visit = (path: string): void => {
      if (reached.has(path) || !sources.includes(path)) return
      reached.add(path)
      importsOf(path).forEach(visit)
    }
    entries.forEach(visit)
    assert.deepStrictEqual(sources.filter((path) => !reached.has(path)), [])
  })
})

describe("names and lines", () => {
  const everything = [...sources, ...filesBelow("test"), ...filesBelow("native"), ...filesBelow("bench"), ...filesBelow("scripts")]

  it("no file is named after nothing in particular", () => {
    const banned = /(^|\/)(utils?|helpers?|common|misc|managers?|stuff|shared)(\.|\/)/i
    assert.deepStrictEqual(everything.filter((path) => banned.test(path)), [])
  })

  it("no line of the sources is longer than 140 columns outside of data", () => {
    const long = everything.filter((path) => !/^test\/|\/test\/|\/data\/|native\/ops\.h$/.test(path)).flatMap((path) =>
      text(path).split("\n").flatMap((line, index) => line.length > 140 ? [`${path}:${index + 1}`] : [])
    )
    assert.deepStrictEqual(long, [])
  })

  it("nothing is left to be done by a comment", () => {
    const pattern = /\b(TODO|FIXME|XXX)\b/
    const others = everything.filter((path) => path !== "test/tidy.test.ts")
    assert.deepStrictEqual(others.filter((path) => pattern.test(text(path))), [])
  })

  it("every file opens by saying what it is", () => {
    const mute = sources.filter((path) => !/^(\/\*\*|\/\/|#!)/.test(text(path)))
    assert.deepStrictEqual(mute, [])
  })
})
