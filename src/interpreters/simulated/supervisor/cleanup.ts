/**
 * After the container's end: what is left is killed, and its control groups are removed: two
 * seconds at most.
 */
import { type Draft, Failure } from "../Draft.ts"
import { attributesOf } from "../files/access.ts"
import { textOf } from "../files/Driver.ts"
import { remove } from "../files/entryCalls.ts"
import { list, readFile, writeFile } from "../files/fileCalls.ts"
import { resolve } from "../files/resolve.ts"
import { sendSignal, signals } from "../processes/signals.ts"
import { leniently, taskOf } from "./SupervisorState.ts"

/** Microseconds. */
export const patience = 2_000_000
export const firstPause = 200
export const longestPause = 50_000

/** Levels of control groups that a container may have made below its own. */
const groupDepth = 16

/** Sends SIGKILL to every process of a cgroup.procs file; how many there were. */
const killMembers = (draft: Draft, supervisor: number, path: string): number => {
  let count = 0
  leniently(() => {
    for (const word of textOf(readFile(draft, path)).split("\n")) {
      const pid = Number(word)
      if (pid <= 1 || pid === supervisor) continue
      sendSignal(draft, pid, signals.SIGKILL, supervisor)
      count++
    }
  })
  return count
}

/** rmdir(2), children first; the errno of what could not be removed, none when it is gone. */
const removeGroup = (
  draft: Draft,
  supervisor: number,
  path: string,
  depth: number
): string | undefined => {
  try {
    remove(draft, path, true)
    return undefined
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure
    if (failure.errno === "ENOENT") return undefined
    if (failure.errno !== "EBUSY" || depth === 0) return failure.errno
  }
  let below: string | undefined
  for (const name of childrenOf(draft, path)) {
    killMembers(draft, supervisor, `${path}/${name}/cgroup.procs`)
    below = removeGroup(draft, supervisor, `${path}/${name}`, depth - 1) ?? below
  }
  return below ??
    (childrenOf(draft, path).length === 0 ? removeGroup(draft, supervisor, path, 0) : "EBUSY")
}

const childrenOf = (draft: Draft, path: string): ReadonlyArray<string> => {
  let names: ReadonlyArray<string> = []
  leniently(() => {
    names = list(draft, path).filter((name) =>
      attributesOf(draft, resolve(draft, `${path}/${name}`, false)).type === "directory"
    )
  })
  return names
}

/** The first blow: cgroup.kill where there is one. */
export const writeKillFiles = (draft: Draft, pid: number): void => {
  for (const path of taskOf(draft, pid).spec.killFiles) {
    leniently(() => void writeFile(draft, path, "1", { mode: 0, create: false }))
  }
}

/** Kills and removes once; true when nothing is left. */
export const killAndRemove = (draft: Draft, pid: number): boolean => {
  const { spec } = taskOf(draft, pid)
  let alive = 0
  for (const path of spec.killProcs) alive += killMembers(draft, pid, path)
  let removed = true
  for (const path of spec.removeDirectories) {
    if (removeGroup(draft, pid, path, groupDepth) === "EBUSY") removed = false
  }
  return alive === 0 && removed
}
