import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import {
  absolutePath,
  type CopyDestination,
  followSymlink,
  meansContents,
  meansDirectory,
  parseCopy,
  parseOperand,
  planCopy,
  planStreamIn,
  renameTop,
  splitPath
} from "../../../src/domain/layer/ArchivePath.ts"
import { encodeHeader } from "../../../src/domain/layer/TarEncoder.ts"
import { decodeFixture } from "./archives.ts"

const failure = <A, E>(result: Result.Result<A, E>): E => {
  if (Result.isFailure(result)) return result.failure
  throw new Error(`expected a failure, got ${JSON.stringify(result.success)}`)
}

describe("an operand", () => {
  it.each([
    ["box:/etc", { _tag: "Container", container: "box", path: "/etc" }],
    ["box:etc:x", { _tag: "Container", container: "box", path: "etc:x" }],
    ["host/box:/etc", { _tag: "Container", container: "host/box", path: "/etc" }],
    ["/tmp/a:b", { _tag: "Local", path: "/tmp/a:b" }],
    ["./a:b", { _tag: "Local", path: "./a:b" }],
    ["../a:b", { _tag: "Local", path: "../a:b" }],
    ["dir/file", { _tag: "Local", path: "dir/file" }],
    ["-", { _tag: "Stream" }],
    ["-x", { _tag: "Local", path: "-x" }],
    ["./-", { _tag: "Local", path: "./-" }]
  ] as const)("%s is understood", (text, operand) => {
    expect(parseOperand(text)).toEqual(Result.succeed(operand))
  })

  it.each([":/etc", "box:"])("%s is refused", (text) => {
    expect(failure(parseOperand(text)).hint).toContain("CONTAINER:PATH")
  })
})

describe("the two operands", () => {
  it("say in which direction is copied", () => {
    expect(Result.getOrThrow(parseCopy("box:/a", "-"))).toEqual({
      _tag: "FromContainer",
      source: { _tag: "Container", container: "box", path: "/a" },
      destination: { _tag: "Stream" }
    })
    expect(Result.getOrThrow(parseCopy("./b", "box:/a"))).toMatchObject({
      _tag: "ToContainer",
      source: { path: "./b" },
      destination: { container: "box" }
    })
  })

  it.each([
    ["box:/a", "other:/b", "copying between containers is not supported"],
    ["a", "b", "must specify at least one container source"],
    ["-", "-", "must specify at least one container source"],
    ["", "box:/a", "source can not be empty"],
    ["box:/a", "", "destination can not be empty"],
    ["box:/a", ":/b", "no container before the colon"]
  ])("%j and %j are refused as docker does", (source, destination, reason) => {
    expect(failure(parseCopy(source, destination)).reason).toBe(reason)
  })
})

describe("paths", () => {
  it.each([
    ["/work", "a", "/work/a"],
    ["/work", "./a/", "/work/a/"],
    ["/work", "a/.", "/work/a/."],
    ["/work", ".", "/work/."],
    ["/work", "..", "/"],
    ["/work", "../x//y", "/x/y"],
    ["/work", "/etc", "/etc"],
    ["/", "etc", "/etc"],
    ["/", "../../etc/.", "/etc/."],
    ["/", "/", "/"],
    ["/", ".", "/."],
    ["/work", "a/..", "/work"]
  ])("from %s, %s is %s", (base, path, absolute) => {
    expect(absolutePath(base, path)).toBe(absolute)
  })

  it.each([
    ["/a/b", "/a", "b"],
    ["/a/b/", "/a", "b"],
    ["/a/b/.", "/a/b", "."],
    ["/a", "/", "a"],
    ["/", "/", "."],
    ["/.", "/", "."],
    ["/a/.", "/a", "."]
  ])("%s is in %s under the name %s", (path, parent, name) => {
    expect(splitPath(path)).toEqual({ parent, name })
  })

  it("mean the contents only with a dot at the end, and a directory also with a slash", () => {
    expect(["/a/.", ".", "/a/", "/a", "/a.", "/a/.."].map(meansContents)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false
    ])
    expect(["/a/.", "/a/", "/a"].map(meansDirectory)).toEqual([true, true, false])
  })

  it.each([
    ["/a/link", "target", "/a/target"],
    ["/a/link", "/target", "/target"],
    ["/a/link", "../target", "/target"],
    ["/a/link/", "target", "/a/target/"],
    ["/a/link/.", "target", "/a/target/."],
    ["/link", "../../x", "/x"]
  ])("the link %s to %s leads to %s", (path, target, followed) => {
    expect(followSymlink(path, target)).toBe(followed)
  })
})

const to = (path: string, kind: CopyDestination["kind"]): CopyDestination => ({ path, kind })

describe("copying a file", () => {
  const source = { path: "/src/file", isDirectory: false }
  it.each([
    ["creates what is missing", to("/dst/new", "missing"), { directory: "/dst", name: "new" }],
    ["overwrites a file", to("/dst/old", "file"), { directory: "/dst", name: "old" }],
    [
      "goes into a directory under its own name",
      to("/dst", "directory"),
      { directory: "/dst", name: "file" }
    ]
  ])("%s", (_, destination, plan) => {
    expect(planCopy(source, destination)).toEqual(Result.succeed(plan))
  })

  it.each([
    [to("/dst/new/", "missing"), "no such directory"],
    [to("/dst/old/", "file"), "not a directory"],
    [to("/none/new", "orphan"), "no such directory: /none"],
    [to("/dev/null", "special"), "the destination must be a directory or a regular file"]
  ])("to %o is refused", (destination, reason) => {
    expect(failure(planCopy(source, destination)).reason).toBe(reason)
  })

  it.each(["/src/file/", "/src/file/."])("named %s is refused: it is no directory", (path) => {
    const error = failure(planCopy({ path, isDirectory: false }, to("/dst", "directory")))
    expect(error).toMatchObject({ path, reason: "not a directory" })
  })
})

describe("copying a directory", () => {
  it.each([
    [
      "creates what is missing, with the contents",
      "/src/dir",
      to("/dst/new", "missing"),
      "/dst",
      "new"
    ],
    [
      "creates it also with a slash at the end",
      "/src/dir/",
      to("/dst/new/", "missing"),
      "/dst",
      "new"
    ],
    ["creates it also for its contents", "/src/dir/.", to("/dst/new", "missing"), "/dst", "new"],
    [
      "goes into a directory under its own name",
      "/src/dir",
      to("/dst", "directory"),
      "/dst",
      "dir"
    ],
    ["does so with a slash at the end", "/src/dir/", to("/dst", "directory"), "/dst", "dir"],
    ["puts its contents into a directory", "/src/dir/.", to("/dst", "directory"), "/dst", "."],
    ["puts the contents of the root into a directory", "/", to("/dst", "directory"), "/dst", "."]
  ])("%s", (_, path, destination, directory, name) => {
    expect(planCopy({ path, isDirectory: true }, destination)).toEqual(
      Result.succeed({ directory, name })
    )
  })

  it("over a file is refused", () => {
    const error = failure(planCopy({ path: "/src/dir", isDirectory: true }, to("/dst/old", "file")))
    expect(error.reason).toBe("cannot copy a directory to a file")
  })
})

describe("an archive from stdin", () => {
  it("goes into a directory as it is, and nowhere else", () => {
    expect(planStreamIn(to("/dst", "directory"))).toEqual(
      Result.succeed({ directory: "/dst", name: "." })
    )
    for (const kind of ["file", "missing", "orphan", "special"] as const) {
      expect(failure(planStreamIn(to("/dst", kind))).reason).toContain("must be a directory")
    }
  })
})

describe("the entries of an archive under another name", () => {
  const renamed = (from: string, top: string) =>
    decodeFixture("gnu-ustar").files.map(({ entry }) => renameTop(entry, from, top))

  it("move with the targets of hardlinks, and those of symlinks stay", () => {
    const entries = renamed("nodes", "x")
    expect(entries.map(({ path }) => path.split("/")[0])).toEqual(entries.map(() => "x"))
    expect(entries.find(({ type }) => type === "hardlink")?.linkpath).toBe("x/file")
    expect(entries.find(({ type }) => type === "symlink")?.linkpath).toBe("file")
  })

  it("may lose the first component", () => {
    const entries = renamed("nodes", ".")
    expect(entries.map(({ path }) => path)).toContain("./sub/other")
    expect(entries.every((entry) => Result.isSuccess(encodeHeader(entry)))).toBe(true)
  })

  it("stay as they are when they only begin alike", () => {
    expect(renamed("node", "x").map(({ path }) => path)).toContain("nodes/file")
  })
})
