/** Random operations for property tests: in a small world, so that they meet each other. */
import * as fc from "fast-check"
import { type KernelOp, op } from "../domain/kernel/KernelOp.ts"
import type { HostProfile } from "../interpreters/simulated/HostProfile.ts"

const name = fc.constantFrom("a", "b", "c", "d")

/** Absolute paths of one to three names below a directory. */
export const path = (directory: string): fc.Arbitrary<string> =>
  fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `${directory}/${names.join("/")}`)

const mode = fc.constantFrom(0o700, 0o755, 0o644, 0o600)

/** Operations on files below a directory. */
export const fileOp = (directory: string): fc.Arbitrary<KernelOp> => {
  const at = path(directory)
  return fc.oneof(
    fc.record({ path: at, mode }).map((payload) => op("DirMake", payload)),
    fc.record({ path: at, mode }).map((payload) => op("DirEnsure", payload)),
    fc.record({ path: at, mode, text: fc.string({ maxLength: 20 }) }).map((payload) =>
      op("FileWrite", payload)
    ),
    fc.record({ path: at, limit: fc.constantFrom(0, 4, 1000) }).map((payload) =>
      op("FileRead", payload)
    ),
    fc.record({ path: at, follow: fc.boolean() }).map((payload) => op("FileStat", payload)),
    at.map((where) => op("FileRemove", { path: where })),
    at.map((where) => op("TreeRemove", { path: where })),
    at.map((where) => op("TreeSize", { path: where })),
    at.map((where) => op("DirList", { path: where })),
    at.map((where) => op("LockTry", { path: where }))
  )
}

/** Looks into trees below a directory, and layers begun there that get no bytes. */
export const treeOp = (directory: string): fc.Arbitrary<KernelOp> => {
  const root = { _tag: "Directory" as const, path: directory }
  const inside = path("")
  const limit = fc.constantFrom(0, 200, 100_000)
  const looked = fc.array(fc.record({ path: inside, list: fc.boolean() }), { maxLength: 3 })
  const piece = fc.record({ path: inside, offset: fc.nat({ max: 4 }), length: fc.nat({ max: 10 }) })
  return fc.oneof(
    fc.record({ path: inside, limit }).map((payload) => op("TreeList", { root, ...payload })),
    fc.record({ paths: looked, limit }).map((payload) => op("TreeLook", { root, ...payload })),
    fc.array(piece, { maxLength: 3 }).map((pieces) => op("FilesRead", { root, pieces })),
    fc.record({ path: path(directory), form: fc.constantFrom("overlay", "flat") }).map((payload) =>
      op("LayerWrite", payload)
    )
  )
}

const values: { readonly [file: string]: ReadonlyArray<string> } = {
  "memory.max": ["max", "1M", "0", "-1", "abc", "5000"],
  "memory.limit_in_bytes": ["-1", "1M", "0", "abc", "5000"],
  "pids.max": ["max", "0", "5", "-1", "4194305"],
  "cpu.max": ["max", "50000", "50000 100000", "1 1", "x"],
  "cpu.shares": ["2", "1024", "0", "abc"],
  "cgroup.freeze": ["0", "1", "2"],
  "freezer.state": ["FROZEN", "THAWED", "FOO"],
  "cgroup.procs": ["0", "1", "99999", "abc"],
  "cgroup.subtree_control": ["+memory", "-memory", "+pids +cpu", "+nothing"]
}

const written = fc.constantFrom(...Object.keys(values)).chain((file) =>
  fc.constantFrom(...values[file]!).map((value) => ({ file, value }))
)

/** Where a host has a hierarchy to play in. */
const hierarchyOf = (kind: HostProfile["cgroups"]): ReadonlyArray<string> =>
  kind === "v2"
    ? ["/sys/fs/cgroup"]
    : ["memory", "cpu", "pids", "freezer"].map((one) => `/sys/fs/cgroup/${one}`)

/** Operations on control groups of a host. */
export const cgroupOp = (kind: HostProfile["cgroups"]): fc.Arbitrary<KernelOp> => {
  const directory = fc.constantFrom(...hierarchyOf(kind)).chain((top) => path(`${top}/fx`))
  const version = kind === "v2" ? 2 as const : 1 as const
  return fc.oneof(
    directory.map((where) => op("CgroupMake", { directory: where })),
    directory.map((where) => op("CgroupEnsure", { directory: where })),
    fc.tuple(directory, written).map(([where, one]) =>
      op("CgroupWrite", { directory: where, ...one })
    ),
    directory.map((where) => op("CgroupRead", { directory: where, files: Object.keys(values) })),
    directory.map((where) => op("CgroupProcesses", { directory: where })),
    directory.map((where) => op("CgroupKill", { directory: where, version })),
    directory.map((where) => op("CgroupRemove", { directory: where })),
    fc.tuple(directory, fc.boolean()).map(([where, frozen]) =>
      op("CgroupFreeze", { directory: where, version, frozen })
    )
  )
}

const key = fc.constantFrom("k1", "k2", "k3")

export const recordOp: fc.Arbitrary<KernelOp> = fc.oneof(
  fc.record({
    collection: fc.constantFrom("containers", "images", "execs"),
    key,
    revision: fc.nat({ max: 3 }),
    name: fc.constantFrom("", "n1", "n2"),
    value: fc.string({ maxLength: 10 })
  }).map((payload) => op("RecordPut", payload)),
  fc.record({ collection: fc.constantFrom("containers", "images", "execs"), key }).map((payload) =>
    op("RecordDelete", payload)
  ),
  fc.record({ collection: fc.constantFrom("containers", "images", "execs"), key }).map((payload) =>
    op("RecordGet", payload)
  ),
  fc.constantFrom("containers", "images", "execs").map((collection) =>
    op("RecordList", { collection })
  )
)

/** Numbers that a handle of a new world may have; most of them have none. */
const handle = fc.nat({ max: 100 })

const digest = fc.constantFrom(`sha256:${"0".repeat(64)}`, `sha512:${"a".repeat(128)}`, "sha256:no")

/** Operations on contents that come into files below a directory. */
export const blobOp = (directory: string): fc.Arbitrary<KernelOp> =>
  fc.oneof(
    fc.record({ path: path(directory), algorithm: fc.constantFrom("sha256", "sha512") }).map((payload) =>
      op("BlobOpen", payload)
    ),
    fc.record({ blob: handle, data: fc.uint8Array({ maxLength: 20 }) }).map((payload) => op("BlobAppend", payload)),
    handle.map((blob) => op("BlobTruncate", { blob })),
    fc.record({ blob: handle, directory: path(directory), digest }, { requiredKeys: ["blob", "directory"] }).map((payload) =>
      op("BlobCommit", payload)
    ),
    handle.map((blob) => op("BlobClose", { blob }))
  )

/** Any of them. */
export const anyOp = (kind: HostProfile["cgroups"] = "v2"): fc.Arbitrary<KernelOp> =>
  fc.oneof(fileOp("/tmp"), treeOp("/tmp"), blobOp("/tmp"), cgroupOp(kind), recordOp)
