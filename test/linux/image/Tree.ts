/** Directory trees as the tool `tree.c` lists them: what must be the same when two programs have unpacked one image. */
import { execFileSync } from "node:child_process"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { assert } from "@effect/vitest"

/** A line for each path; hard links name the first path of their group. */
export type Tree = ReadonlyMap<string, string>

/** Bytes of a listing of some ten thousand entries, and far more. */
const listingBytes = 1 << 28

const inodeField = 8

/** Its lines in the order of the bytes of their paths, inodes made comparable. */
const parse = (listing: string): Tree => {
  const rows = listing.split("\n").filter((line) => line !== "").map((line) => line.split("\t")).sort(([one = ""], [other = ""]) =>
    one < other ? -1 : 1)
  const first = new Map<string, string>()
  return new Map(rows.map((fields) => {
    const path = fields[0]!
    const inode = fields[inodeField]!
    if (!inode.startsWith("-") && !first.has(inode)) first.set(inode, path)
    return [path, fields.with(inodeField, inode.startsWith("-") ? "" : first.get(inode)!).slice(1).join(" ")]
  }))
}

/** Most differences that a failing test tells of. */
const toldDifferences = 20

const differences = (found: Tree, wanted: Tree): ReadonlyArray<string> =>
  [...new Set([...wanted.keys(), ...found.keys()])].filter((path) => found.get(path) !== wanted.get(path)).map((path) =>
    `${path}: is ${found.get(path) ?? "not there"}, should be ${wanted.get(path) ?? "not there"}`)

export const sameTree = (found: Tree, wanted: Tree, what: string): void => {
  const all = differences(found, wanted)
  assert.deepStrictEqual(all.slice(0, toldDifferences), [], `${what}: ${all.length} differences`)
}

/** The compiled tool, in a directory of the test. */
export class TreeTool {
  private readonly program: string

  constructor(directory: string) {
    this.program = join(directory, "tree")
    execFileSync("cc", ["-O2", "-Wall", "-static", "-o", this.program, join(import.meta.dirname, "tree.c")])
  }

  list(directory: string): Tree {
    return parse(execFileSync(this.program, ["list", directory], { encoding: "utf8", maxBuffer: listingBytes }))
  }

  /** What directories of layers are together, top first, when they are mounted. */
  listMounted(directories: ReadonlyArray<string>, at: string): Tree {
    for (const name of ["empty", "merged"]) mkdirSync(join(at, name), { recursive: true })
    const lower = [...directories, join(at, "empty")].join(":")
    const script = `mount -t overlay overlay -o "ro,lowerdir=$1" "$2" && exec "$3" list "$2"`
    const words = ["-m", "sh", "-ec", script, "sh", lower, join(at, "merged"), this.program]
    return parse(execFileSync("unshare", words, { encoding: "utf8", maxBuffer: listingBytes }))
  }

  /** Makes what images may hold and plain copies of files do not. */
  decorate(directory: string): void {
    execFileSync(this.program, ["decorate", directory])
  }
}
