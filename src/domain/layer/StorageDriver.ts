/**
 * How layers lie on disk and become the root of a container, for each storage driver: which operations make a layer, which
 * directories show an image, which make a container's own root. `overlay2` keeps what a layer changes, and mounts; the
 * flat ones keep whole trees: `vfs` by copies, `btrfs` by snapshots of subvolumes.
 */
import * as Result from "effect/Result"
import type { ContainerRecord } from "../container/ContainerRecord.ts"
import * as Paths from "../container/Paths.ts"
import { type KernelOp, op, type RootSource } from "../kernel/KernelOp.ts"
import { refuse, type TextError } from "../text/TextError.ts"
import type { StorageDriver } from "./LayerRecord.ts"
import type { LayerForm } from "./LayerUnpacking.ts"

export const storageDrivers: ReadonlyArray<StorageDriver> = ["overlay2", "vfs", "btrfs"]

export const defaultDriver: StorageDriver = "overlay2"

/** Says what to do about an operation on subvolumes where there are none. */
export const notBtrfs = "the directory is not on btrfs: put --root on a btrfs file system, or choose --storage-driver overlay2 or vfs"

/** Drivers that docker had or has: why they are not here, and what replaces them. */
const absent: { readonly [name: string]: string } = {
  aufs: "AUFS never became part of Linux and is not kept up any more; overlay2 does the same with what Linux has",
  devicemapper: "device-mapper needed a block device of its own and copied slowly, and docker has dropped it, too; " +
    "use overlay2, or btrfs where snapshots are wanted",
  overlay: "the first overlay driver used up the inodes of the disk by hard links; overlay2 mounts the layers themselves",
  zfs: "ZFS is not part of Linux; use overlay2, which works on it from OpenZFS 2.2 on, or btrfs",
  "fuse-overlayfs": "it was for users without rights on kernels before 5.11; overlay2 uses the kernel's own overlayfs"
}

export const parseStorageDriver = (text: string): Result.Result<StorageDriver, TextError> => {
  const driver = storageDrivers.find((one) => one === text)
  if (driver !== undefined) return Result.succeed(driver)
  const reason = Object.hasOwn(absent, text) ? absent[text] : undefined
  return refuse(
    "choose the storage driver", text,
    reason === undefined
      ? `there is no storage driver ${text}: choose one of ${storageDrivers.join(", ")}`
      : `the storage driver ${text} is not supported: ${reason}`,
    "see docs/storage-drivers.md"
  )
}

/** What names in a root directory tell of drivers that were used there by another engine. */
export const foreignStorage = (root: string, names: ReadonlyArray<string>): ReadonlyArray<string> =>
  ["aufs", "devicemapper"].filter((name) => names.includes(name)).map((name) =>
    `${root}/${name} is of docker's storage driver ${name}, and nothing in it is read: ${absent[name]}. ` +
    "Save its images with the docker that made them, and load the archives")

/** Whether the directory of a layer holds all that an image has up to it, and not only what the layer changes. */
export const isFlat = (driver: StorageDriver): boolean => driver !== "overlay2"

export const layerForm = (driver: StorageDriver): LayerForm => isFlat(driver) ? "flat" : "overlay"

/** Makes the directory that a layer is then unpacked into. `below`: that of the layer below, undefined for the lowest. */
export const beginLayer = (driver: StorageDriver, directory: string, below: string | undefined): KernelOp => {
  switch (driver) {
    case "overlay2":
      return op("DirMake", { path: directory, mode: 0o755 })
    case "vfs":
      return below === undefined
        ? op("DirMake", { path: directory, mode: 0o755 })
        : op("TreeCopy", { from: below, to: directory })
    case "btrfs":
      return below === undefined
        ? op("SubvolumeMake", { path: directory })
        : op("SubvolumeSnapshot", { from: below, to: directory })
  }
}

export interface LayerPlace {
  readonly driver: StorageDriver
  readonly directory: string
  readonly opaque: boolean
}

/** Host directories that show an image, top first, of its layers bottom first: what one hides is left out. */
export const shownDirectories = (paths: Paths.Paths, layers: ReadonlyArray<LayerPlace>): ReadonlyArray<string> => {
  const directories: Array<string> = []
  for (const { directory, driver, opaque } of layers.toReversed()) {
    directories.push(Paths.layerDirectory(paths, driver, directory))
    if (opaque || isFlat(driver)) break
  }
  return directories
}

type Container = Pick<ContainerRecord, "id" | "layers" | "driver">

export const driverOf = ({ driver }: Pick<ContainerRecord, "driver">): StorageDriver => driver ?? defaultDriver

/** What a new container's record says. A flat root is a copy of one directory: of several an overlay is made. */
export const driverFor = (driver: StorageDriver, layers: ReadonlyArray<string>): Pick<ContainerRecord, "driver"> =>
  isFlat(driver) && layers.length === 1 ? { driver } : {}

/** Where a container's files are that it has written: with a flat driver those of its image, too. */
export const writtenDirectory = (paths: Paths.Paths, container: Container): string =>
  isFlat(driverOf(container)) ? Paths.treeDirectory(paths, container.id) : Paths.upperDirectory(paths, container.id)

/** What is there as soon as a container has something of its own to be read. */
export const writtenMark = (paths: Paths.Paths, container: Container): string =>
  isFlat(driverOf(container)) ? Paths.treeMark(paths, container.id) : Paths.upperDirectory(paths, container.id)

/** A directory that is no layer, such as one the user named, need not be a subvolume. */
const beginTree = (paths: Paths.Paths, driver: StorageDriver, from: string, to: string): KernelOp =>
  driver === "btrfs" && from.startsWith(`${Paths.layersDirectory(paths, driver)}/`)
    ? op("SubvolumeSnapshot", { from, to })
    : op("TreeCopy", { from, to })

/**
 * What makes the root that a container is to write to. `isThere`: what the mark says. The mark of a tree comes last: one
 * that is half there has none, and is begun again.
 */
export const prepareRoot = (paths: Paths.Paths, container: Container, isThere: boolean): ReadonlyArray<KernelOp> => {
  const { id, layers } = container
  const driver = driverOf(container)
  const ensure = (path: string) => op("DirEnsure", { path, mode: 0o755 })
  if (!isFlat(driver)) {
    const work = Paths.workDirectory(paths, id)
    const upper = Paths.upperDirectory(paths, id)
    return [
      ensure(Paths.containerDirectory(paths, id)),
      // The root of a mount is its upper directory: it is to look as the image's
      layers[0] === undefined ? ensure(upper) : op("DirEnsureLike", { path: upper, like: layers[0] }),
      ensure(work),
      // Left by an earlier run, or a start that failed, with `volatile`: overlayfs refuses the upper directory until it has gone
      op("TreeRemove", { path: `${work}/work/incompat` })
    ]
  }
  const [from = ""] = layers
  const tree = Paths.treeDirectory(paths, id)
  return isThere ? [] : [
    ensure(Paths.containerDirectory(paths, id)),
    op("TreeRemove", { path: tree }),
    beginTree(paths, driver, from, tree),
    op("FileWrite", { path: Paths.treeMark(paths, id), mode: 0o600, text: "" })
  ]
}

/** The root of a container that does not run, to be read. `isThere`: what the mark says. */
export const rootToRead = (paths: Paths.Paths, container: Container, isThere: boolean): RootSource => {
  const [first, ...rest] = container.layers
  const written = writtenDirectory(paths, container)
  if (isFlat(driverOf(container))) return { _tag: "Directory", path: isThere || first === undefined ? written : first }
  return isThere || first === undefined
    ? { _tag: "Layers", lower: [first ?? written, ...rest], upper: written, work: "" }
    : { _tag: "Layers", lower: [first, ...rest], upper: "", work: "" }
}

/** The same to be written to, once it was prepared. */
export const rootToWrite = (paths: Paths.Paths, container: Container): RootSource => {
  const [first, ...rest] = container.layers
  const written = writtenDirectory(paths, container)
  return isFlat(driverOf(container))
    ? { _tag: "Directory", path: written }
    : { _tag: "Layers", lower: [first ?? written, ...rest], upper: written, work: Paths.workDirectory(paths, container.id) }
}
