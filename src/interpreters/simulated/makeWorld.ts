/**
 * A simulated host as it is after boot: files, mounts, control groups, and the processes it always
 * has.
 */
import { builtins } from "./behaviours/builtins.ts"
import { bootHost } from "./boot/bootHost.ts"
import { hostTree } from "./boot/hostTree.ts"
import { alter, close, type Draft, open } from "./Draft.ts"
import { bytesOf, type NewNode } from "./files/Driver.ts"
import { createAt, ensureDirectory, makeSymlink, writeFile } from "./files/fileCalls.ts"
import { resolveEntry } from "./files/resolve.ts"
import { defaultHost, type HostProfile } from "./HostProfile.ts"
import { fullCapabilities, noCapabilities } from "./processes/credentials.ts"
import { endProcess } from "./processes/exit.ts"
import { fork } from "./processes/fork.ts"
import { cancel } from "./processes/schedule.ts"
import type { Content, World } from "./World.ts"

/** A file of the host: its content, or what it is. */
export type HostFile =
  | Content
  | {
    readonly content: Content
    readonly mode?: number
    readonly uid?: number
    readonly gid?: number
  }
  | {
    readonly directory: true
    readonly mode?: number
    readonly uid?: number
    readonly gid?: number
  }
  | { readonly link: string }

export interface WorldOptions {
  readonly host?: Partial<HostProfile>
  /** Microseconds since the epoch. */
  readonly now?: number
  readonly seed?: number
  /** Further files by absolute path; directories above are made. */
  readonly files?: { readonly [path: string]: HostFile }
  /** Directories that get the root file system of the image fx/hello, and of one with busybox. */
  readonly helloImage?: string
  readonly busyboxImage?: string
}

/** 2026-01-01T00:00:00Z */
const defaultNow = 1_767_225_600_000_000

const parentOf = (path: string): string => path.replace(/\/[^/]*$/, "") || "/"

const place = (draft: Draft, path: string, file: HostFile): void => {
  ensureDirectory(draft, parentOf(path), 0o755)
  if (typeof file === "string" || file instanceof Uint8Array) {
    return void writeFile(draft, path, file, { mode: 0o644 })
  }
  if ("link" in file) return void makeSymlink(draft, file.link, path)
  const owner = { uid: file.uid ?? 0, gid: file.gid ?? 0 }
  const made: NewNode = "directory" in file
    ? { type: "directory", mode: file.mode ?? 0o755, ...owner }
    : {
      type: "file",
      content: typeof file.content === "string" ? file.content : bytesOf(file.content),
      mode: file.mode ?? 0o644,
      ...owner
    }
  createAt(draft, resolveEntry(draft, path, false), path, made)
}

const placeAll = (
  draft: Draft,
  directory: string,
  files: { readonly [path: string]: HostFile }
): void => {
  for (const [path, file] of Object.entries(files)) place(draft, `${directory}${path}`, file)
}

/** Boots a host. Its processes are pid 1 and two daemons; engines come by `startEngine`. */
export const makeWorld = (options: WorldOptions = {}): World =>
  bootHost({
    host: { ...defaultHost, ...options.host },
    now: options.now ?? defaultNow,
    random: (options.seed ?? 0) >>> 0
  }, (draft) => {
    placeAll(draft, "", hostTree(draft.host))
    if (options.helloImage !== undefined) {
      placeAll(draft, options.helloImage, { "/hello": { content: "\u007fELF hello", mode: 0o755 } })
    }
    if (options.busyboxImage !== undefined) {
      placeAll(draft, options.busyboxImage, hostTree(draft.host, "image"))
    }
    placeAll(draft, "", options.files ?? {})
  })

/** A new engine process, by its host pid: the one who performs operations. */
export const startEngine = (world: World): readonly [pid: number, world: World] => {
  const draft = open(world, 1, builtins)
  const pid = fork(draft, 1, { task: { _tag: "Engine" } })
  cancel(draft, pid)
  const { user } = draft.host
  alter(draft, pid, {
    argv: ["fx-engine"],
    executable: "/usr/bin/fx-engine",
    session: pid,
    uid: user,
    gid: user,
    ...(user === 0 ? {} : { capabilities: noCapabilities(fullCapabilities(draft).bounding) })
  })
  return [pid, close(draft, world)]
}

/**
 * The end of an engine process, by its own choice or not: the kernel takes its locks, channels and
 * archives.
 */
export const endEngine = (world: World, pid: number): World => {
  const draft = open(world, pid, builtins)
  endProcess(draft, pid, { code: 0, signal: 0 })
  return close(draft, world)
}
