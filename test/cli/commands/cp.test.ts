import { Effect, Stream } from "effect"
import { describe, expect, it } from "vitest"
import type { FileStatus } from "../../../src/domain/kernel/KernelOp.ts"
import { KernelError } from "../../../src/domain/kernel/KernelError.ts"
import type { Engine } from "../../../src/programs/Engine.ts"
import { runLine, type Props } from "../Stage.ts"

type Tree = { readonly [path: string]: "file" | "directory" | { readonly link: string } }

const container: Tree = {
  "/": "directory", "/etc": "directory", "/etc/hosts": "file", "/tmp": "directory", "/link": { link: "etc/hosts" },
    "/dirlink": { link: "/tmp" },
  "/loop": { link: "/loop" }
}
const host: Tree = { "/home/user": "directory", "/home/user/dir": "directory", "/home/user/file": "file" }

const statusOf = (tree: Tree, path: string, follow: boolean): Effect.Effect<FileStatus, KernelError> => {
  const clean = path.replace(/\/\.?$/, "") || "/"
  const entry = tree[clean]
  if (entry === undefined) return Effect.fail(new KernelError({ op: "RootStat", syscall: "openat2", errno: "ENOENT",
    path }))
  if (typeof entry === "object" && follow) return statusOf(tree,
    entry.link.startsWith("/") ? entry.link : `/${entry.link}`, true)
  const type = typeof entry === "object" ? "symlink" : entry
  return Effect.succeed({
    type, mode: 0o644, uid: 0, gid: 0, size: 1, major: 0, minor: 0,
      ...(typeof entry === "object" ? { target: entry.link } : {})
  })
}

const bytes = (text: string) => new TextEncoder().encode(text)
const collected = <E, R>(data: Stream.Stream<Uint8Array, E, R>) =>
  Effect.map(Stream.runCollect(data), (pieces) => pieces.map((piece) => new TextDecoder().decode(piece)).join(""))

/** Runs `cp` between the two trees; gives what was copied where, as `SIDE PATH <- ARCHIVE OWNER`. */
const cp = async (argv: ReadonlyArray<string>, props: Props = {}) => {
  const copies: Array<string> = []
  const out = (side: string) => (path: string, { follow, name }: { readonly name: string; readonly follow: boolean }) =>
    Stream.succeed(bytes(`${side}:${path} as ${name}${follow ? " followed" : ""}`))
  const into = (side: string) => <E, R>(
    path: string, data: Stream.Stream<Uint8Array, E, R>,
      owner: { readonly uid: number; readonly gid: number } | undefined
  ) => Effect.map(collected(data), (text) => {
    copies.push(`${side} ${path} <- ${text}${owner === undefined ? "" : ` for ${owner.uid}:${owner.gid}`}`)
  })
  const engine: Partial<Engine["Service"]> = {
    stat: (_, path, follow) => statusOf(container, path, follow),
    copyOut: (reference, path, options) => out(reference)(path, options),
    copyIn: (reference, path, data, owner) => into(reference)(path, data, owner),
    host: { stat: (path, follow) => statusOf(host, path, follow), copyOut: out("host"), copyIn: into("host") }
  }
  return { ...await runLine(["cp", ...argv], { engine, ...props }), copies }
}

describe("cp out of a container", () => {
  it.each([
    ["c:/etc/hosts", "dir", "host /home/user/dir <- c:/etc/hosts as hosts for 1000:1000"],
    ["c:/etc/hosts", "new", "host /home/user <- c:/etc/hosts as new for 1000:1000"],
    ["c:/etc/hosts", "file", "host /home/user <- c:/etc/hosts as file for 1000:1000"],
    ["c:etc", "dir", "host /home/user/dir <- c:/etc as etc for 1000:1000"],
    ["c:/etc/.", "dir", "host /home/user/dir <- c:/etc/. as . followed for 1000:1000"],
    ["c:/etc", "new", "host /home/user <- c:/etc as new for 1000:1000"]
  ])("%s to %s", async (from, to, copy) => {
    expect(await cp([from, to])).toMatchObject({ exitCode: 0, copies: [copy] })
  })

  it("keeps owners with -a and follows the link with -L", async () => {
    expect((await cp(["-a", "c:/link", "dir"])).copies).toEqual(["host /home/user/dir <- c:/link as link"])
    expect((await cp(["-aL", "c:/link", "dir"])).copies).toEqual(["host /home/user/dir <- c:/link as link followed"])
  })

  it("writes an archive to stdout for a dash", async () => {
    expect((await cp(["c:/etc", "-"])).stdout).toBe("c:/etc as etc")
  })

  it("tells what is not there, and what cannot be", async () => {
    expect((await cp(["c:/nothing", "dir"])).stderr)
      .toBe("fx-engine: cannot copy c:/nothing: no such file or directory\n")
    expect((await cp(["c:/etc", "file"])).stderr).toContain("cannot copy a directory to a file")
    expect((await cp(["c:/etc", "no/where"])).stderr).toContain("no such directory")
  })
})

describe("cp into a container", () => {
  it.each([
    ["file", "c:/tmp", "c /tmp <- host:/home/user/file as file for 0:0"],
    ["file", "c:/tmp/", "c /tmp/ <- host:/home/user/file as file for 0:0"],
    ["file", "c:/new", "c / <- host:/home/user/file as new for 0:0"],
    ["dir/.", "c:/tmp", "c /tmp <- host:/home/user/dir/. as . followed for 0:0"],
    ["file", "c:/link", "c /etc <- host:/home/user/file as hosts for 0:0"],
    ["file", "c:/dirlink", "c /tmp <- host:/home/user/file as file for 0:0"]
  ])("%s to %s", async (from, to, copy) => {
    expect(await cp([from, to])).toMatchObject({ exitCode: 0, copies: [copy] })
  })

  it("unpacks an archive from stdin in a directory only", async () => {
    expect((await cp(["-", "c:/tmp"], { stdin: ["a tar ", "stream"] })).copies)
      .toEqual(["c /tmp <- a tar stream for 0:0"])
    expect((await cp(["-", "c:/etc/hosts"])).stderr).toContain("must be a directory")
  })

  it("gives up on links that lead nowhere", async () => {
    expect((await cp(["file", "c:/loop"])).stderr).toContain("too many levels of symbolic links")
  })

  it("says what it did on a terminal, unless told to be quiet", async () => {
    expect((await cp(["file", "c:/tmp"], { terminals: ["stderr"] })).stderr).toBe("Successfully copied 28B to c:/tmp\n")
    expect((await cp(["-q", "file", "c:/tmp"], { terminals: ["stderr"] })).stderr).toBe("")
    expect((await cp(["file", "c:/tmp"])).stderr).toBe("")
  })
})

it("cp wants one side in a container", async () => {
  expect((await cp(["a", "b"])).stderr).toContain("must specify at least one container source")
  expect((await cp(["a:b", "c:d"])).stderr).toContain("copying between containers is not supported")
})
