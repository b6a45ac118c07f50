/** Where the engine keeps what: every path is a pure function of the two roots and an id. */

export interface Paths {
  /** Durable: records, layers, logs. `/var/lib/fx-engine` unless `--root` says otherwise. */
  readonly root: string
  /** Volatile: status files, sockets, locks. `/run/fx-engine` unless `--exec-root` says otherwise. */
  readonly execRoot: string
}

export const defaultPaths: Paths = { root: "/var/lib/fx-engine", execRoot: "/run/fx-engine" }

/** FNV-1a, 32 bits: short and stable; no secret depends on it. */
const hash = (text: string): string => {
  let state = 0x811c9dc5
  for (let index = 0; index < text.length; index++) state = Math.imul(state ^ text.charCodeAt(index), 0x01000193)
  return (state >>> 0).toString(16).padStart(8, "0")
}

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
/** hostname, hosts, resolv.conf */
export const filesDirectory = (paths: Paths, id: string): string => `${paths.root}/containers/${id}/files`
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

export const imagesDirectory = (paths: Paths): string => `${paths.root}/images`
/** `digest` without its `sha256:`. */
export const imageDirectory = (paths: Paths, digest: string): string => `${paths.root}/images/${digest}`
