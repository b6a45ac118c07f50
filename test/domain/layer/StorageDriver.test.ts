import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { treeDirectory, treeMark } from "../../../src/domain/container/Paths.ts"
import { type KernelOp, op, undo } from "../../../src/domain/kernel/KernelOp.ts"
import {
  beginLayer, driverFor, foreignStorage, parseStorageDriver, prepareRoot, rootToRead, rootToWrite, shownDirectories, storageDrivers
} from "../../../src/domain/layer/StorageDriver.ts"
import type { StorageDriver } from "../../../src/domain/layer/LayerRecord.ts"

const paths = { root: "/r", execRoot: "/e" }
const id = "a".repeat(64)
const tags = (operations: ReadonlyArray<KernelOp>) => operations.map(({ tag }) => tag)

describe("a storage driver", () => {
  it("is one of three, and others say why they are none", () => {
    for (const driver of storageDrivers) expect(Result.getOrThrow(parseStorageDriver(driver))).toBe(driver)
    const cause = (text: string) => Result.merge(Result.mapError(parseStorageDriver(text), (error) => error.cause))
    expect(cause("aufs")).toContain("AUFS never became part of Linux")
    expect(cause("devicemapper")).toContain("use overlay2, or btrfs")
    expect(cause("toString")).toBe("there is no storage driver toString: choose one of overlay2, vfs, btrfs")
    expect(cause("")).toContain("there is no storage driver")
  })

  it("makes a layer by itself, as a copy of the one below, or as a snapshot of it", () => {
    const made = storageDrivers.map((driver) => [beginLayer(driver, "/to", undefined), beginLayer(driver, "/to", "/below")])
    expect(made.map(tags)).toEqual([["DirMake", "DirMake"], ["DirMake", "TreeCopy"], ["SubvolumeMake", "SubvolumeSnapshot"]])
    // Whatever was made is taken back the same way
    for (const operation of made.flat()) expect(undo(operation)).toEqual(op("TreeRemove", { path: "/to" }))
  })

  it("shows an image by all its layers down to one that hides the others, or by the topmost alone", () => {
    const layers = (driver: StorageDriver) => ["one", "two", "three", "four"].map((directory) =>
      ({ driver, directory, opaque: directory === "two" }))
    expect(shownDirectories(paths, layers("overlay2"))).toEqual(["/r/overlay2/four", "/r/overlay2/three", "/r/overlay2/two"])
    expect(shownDirectories(paths, layers("vfs"))).toEqual(["/r/vfs/four"])
    expect(shownDirectories(paths, [])).toEqual([])
  })

  it("is an overlay for a container of several directories", () => {
    expect(driverFor("vfs", ["/a"])).toEqual({ driver: "vfs" })
    expect(driverFor("vfs", ["/a", "/b"])).toEqual({})
    expect(driverFor("overlay2", ["/a"])).toEqual({})
  })
})

describe("the root of a container", () => {
  const container = (driver: StorageDriver, layer: string) => ({ id, layers: [layer], driver })

  it("is made once, and marked when it is whole", () => {
    const made = prepareRoot(paths, container("vfs", "/r/vfs/top"), false)
    expect(tags(made)).toEqual(["DirEnsure", "TreeRemove", "TreeCopy", "FileWrite"])
    expect(made.at(-1)?.payload).toMatchObject({ path: treeMark(paths, id) })
    expect(prepareRoot(paths, container("vfs", "/r/vfs/top"), true)).toEqual([])
    expect(tags(prepareRoot(paths, { id, layers: ["/l"] }, true))).toEqual(["DirEnsure", "DirEnsureLike", "DirEnsure", "TreeRemove"])
  })

  it("is a snapshot of a layer, but a copy of any other directory", () => {
    expect(tags(prepareRoot(paths, container("btrfs", "/r/btrfs/top"), false))).toContain("SubvolumeSnapshot")
    expect(tags(prepareRoot(paths, container("btrfs", "/home/rootfs"), false))).toContain("TreeCopy")
  })

  it("is read from its image until there is something of its own", () => {
    const flat = container("vfs", "/r/vfs/top")
    expect(rootToRead(paths, flat, false)).toEqual({ _tag: "Directory", path: "/r/vfs/top" })
    expect(rootToRead(paths, flat, true)).toEqual({ _tag: "Directory", path: treeDirectory(paths, id) })
    expect(rootToWrite(paths, flat)).toEqual({ _tag: "Directory", path: treeDirectory(paths, id) })
    expect(rootToRead(paths, { id, layers: ["/a", "/b"] }, false)).toEqual({ _tag: "Layers", lower: ["/a", "/b"], upper: "", work: "" })
    expect(rootToRead(paths, { id, layers: ["/a"] }, true)).toMatchObject({ lower: ["/a"], upper: `/r/containers/${id}/upper`, work: "" })
  })
})

describe("what another engine's drivers left", () => {
  it("is named with what replaces it", () => {
    expect(foreignStorage("/r", ["overlay2", "containers"])).toEqual([])
    const [aufs, mapper] = foreignStorage("/r", ["devicemapper", "aufs", "overlay2"])
    expect(aufs).toContain("/r/aufs is of docker's storage driver aufs")
    expect(mapper).toContain("load the archives")
  })
})
