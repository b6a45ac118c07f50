/** Where the engine keeps what: every path is a pure function of the two roots and an id. */
import type { Digest } from "../image/Digest.ts"

export interface Paths {
  /** Durable: records, layers, logs. `/var/lib/fx-engine` unless `--root` says otherwise. */
  readonly root: string
  /** Volatile: status files, sockets, locks. `/run/fx-engine` unless `--exec-root` says otherwise. */
  readonly execRoot: string
}

/** What the host's administrator says, where no command names another file. */
export const settingsFile = "/etc/fx-engine/daemon.json"

export const defaultPaths: Paths = { root: "/var/lib/fx-engine", execRoot: "/run/fx-engine" }

/** FNV-1a, 32 bits: short and stable; no secret depends on it. */
const hash = (text: string): string => {
  let state = 0x811c9dc5
  for (let index = 0; index < text.length; index++) state = Math.imul(state ^ text.charCodeAt(index), 0x01000193)
  return (state >>> 0).toString(16).padStart(8, "0")
}

/** Where an engine of a root keeps what is volatile unless it is told another place: roots share none. */
export const defaultExecRoot = (root: string): string =>
  root === defaultPaths.root ? defaultPaths.execRoot : `${defaultPaths.execRoot}-${hash(root)}`

/**
 * The cgroup under which containers lie when --cgroup-parent says nothing. Engines with roots of their own
 * get parents of their own: each may remove what its records do not know.
 */
export const cgroupParent = (paths: Paths): string =>
  paths.root === defaultPaths.root ? "/fx-engine" : `/fx-engine-${hash(paths.root)}`

export const containersDirectory = (paths: Paths): string => `${paths.root}/containers`
export const containerDirectory = (paths: Paths, id: string): string => `${paths.root}/containers/${id}`
export const upperDirectory = (paths: Paths, id: string): string => `${paths.root}/containers/${id}/upper`
export const workDirectory = (paths: Paths, id: string): string => `${paths.root}/containers/${id}/work`
/** The root of a container whose storage driver gives it a whole tree, and what says that all of it is there. */
export const treeDirectory = (paths: Paths, id: string): string => `${paths.root}/containers/${id}/tree`
export const treeMark = (paths: Paths, id: string): string => `${paths.root}/containers/${id}/tree-is-whole`
/** hostname, hosts, resolv.conf */
export const filesDirectory = (paths: Paths, id: string): string => `${paths.root}/containers/${id}/files`
/** Directories for the volumes that the image declares. */
export const volumesDirectory = (paths: Paths, id: string): string => `${paths.root}/containers/${id}/volumes`
export const volumeDirectory = (paths: Paths, id: string, index: number): string => `${volumesDirectory(paths, id)}/${index}`
/** The root's mount point in the container's own mount namespace; on the host it stays empty. */
export const rootMountPoint = (paths: Paths, id: string): string => `${paths.root}/containers/${id}/rootfs`
export const exitFile = (paths: Paths, id: string): string => `${paths.root}/containers/${id}/exit`
export const logFile = (paths: Paths, id: string): string => `${paths.root}/containers/${id}/${id}-json.log`

export const runsDirectory = (paths: Paths): string => `${paths.execRoot}/containers`
export const runDirectory = (paths: Paths, id: string): string => `${paths.execRoot}/containers/${id}`
/** The name of the directory of execs in that of the run. */
export const execsName = "exec"
export const execsDirectory = (paths: Paths, id: string): string => `${paths.execRoot}/containers/${id}/exec`
export const execDirectory = (paths: Paths, id: string, exec: string): string =>
  `${paths.execRoot}/containers/${id}/exec/${exec}`
export const locksDirectory = (paths: Paths): string => `${paths.execRoot}/locks`
export const lockFile = (paths: Paths, id: string): string => `${paths.execRoot}/locks/${id}`

/** Held by whoever finds things in the store of images, or removes them. */
export const storeLockFile = (paths: Paths): string => `${paths.execRoot}/store.lock`

/** Complete contents by digest: `blobs/sha256/DIGITS`. */
export const blobsDirectory = (paths: Paths): string => `${paths.root}/blobs`
export const blobFile = (paths: Paths, digest: Digest): string =>
  `${blobsDirectory(paths)}/${digest.replace(":", "/")}`
/** Contents that are still coming, each under a name of its own. */
export const ingestDirectory = (paths: Paths): string => `${paths.root}/ingest`
export const ingestFile = (paths: Paths, name: string): string => `${paths.root}/ingest/${name}`

/** Says which exec-root a root is used with, and since which boot: `BOOT-ID EXECROOT`. */
export const execRootFile = (paths: Paths): string => `${paths.root}/exec-root`

/** Says which root an exec-root belongs to. */
export const ownerFile = (execRoot: string): string => `${execRoot}/root`

/** The name of the storage driver that was last chosen; without it the default counts. */
export const storageDriverFile = (paths: Paths): string => `${paths.root}/storage-driver`

/** Unpacked layers of a storage driver, each in a directory of 64 hexadecimal digits. */
export const layersDirectory = (paths: Paths, driver: string): string => `${paths.root}/${driver}`
export const layerDirectory = (paths: Paths, driver: string, name: string): string => `${paths.root}/${driver}/${name}`
