/**
 * How a supervisor makes the container's process: its files, pipes, namespaces, and the maps of its
 * user namespace.
 */
import { cgroupOfNode } from "../cgroups/cgroupDriver.ts"
import { alter, type Draft, fail, processOf } from "../Draft.ts"
import { filesystemOf } from "../files/access.ts"
import { remove } from "../files/entryCalls.ts"
import { createAt, writeFile } from "../files/fileCalls.ts"
import { resolve, resolveDirectory, resolveEntry } from "../files/resolve.ts"
import { processByIdentity } from "../init/namespaceOps.ts"
import { makePipe, noDescriptors } from "../processes/descriptors.ts"
import { fork } from "../processes/fork.ts"
import { enter } from "../processes/namespaces.ts"
import type { Descriptor, Process } from "../processes/Process.ts"
import { openLog } from "./output.ts"
import { alterTask, leniently, readOomKills, saveStatus, taskOf } from "./SupervisorState.ts"

/** DIRECTORY/attach.sock, for its user alone. */
const listen = (draft: Draft, pid: number): void => {
  const path = `${taskOf(draft, pid).spec.directory}/attach.sock`
  draft.syscall = "bind"
  leniently(() => remove(draft, path, false))
  const { uid, gid } = processOf(draft, pid)
  const place = createAt(draft, resolveEntry(draft, path, false), path, {
    type: "socket",
    listener: pid,
    mode: 0o600,
    uid,
    gid
  })
  alterTask(draft, pid, { socket: typeof place.node === "number" ? place.node : 0 })
}

/** The status, the log and the socket, in this order. */
export const prepare = (draft: Draft, pid: number): void => {
  draft.syscall = "openat"
  resolveDirectory(draft, taskOf(draft, pid).spec.directory)
  saveStatus(draft, pid)
  openLog(draft, pid)
  listen(draft, pid)
  alterTask(draft, pid, { oomBefore: readOomKills(draft, pid) })
}

/** The container's fds 0 to 2: the null device, or its ends of new pipes. */
const makeStreams = (draft: Draft, pid: number): Process["stdio"] => {
  const { stdio } = taskOf(draft, pid).spec
  if (stdio.terminal) return noDescriptors
  const stdin = stdio.stdin === "null" ? 0 : makePipe(draft, 0, 1, pid)
  const stdout = makePipe(draft, 1, 0, pid)
  const stderr = makePipe(draft, 1, 0, pid)
  alterTask(draft, pid, { stdin, stdout, stderr })
  const input: Descriptor = stdin === 0 ? { _tag: "Null" } : { _tag: "PipeRead", pipe: stdin }
  return [input, { _tag: "PipeWrite", pipe: stdout }, { _tag: "PipeWrite", pipe: stderr }]
}

/** Children are born in this pid namespace from now on. */
const enterPidNamespace = (draft: Draft, pid: number): void => {
  const { pidNamespace } = taskOf(draft, pid).spec
  if (pidNamespace === undefined) return
  if (typeof pidNamespace !== "string") {
    const target = processByIdentity(draft, pidNamespace)
    draft.syscall = "setns"
    return enter(draft, pid, "pid", target.namespaces.pid)
  }
  draft.syscall = "openat"
  const place = resolve(draft, pidNamespace, true)
  draft.syscall = "setns"
  if (filesystemOf(draft, place).content._tag !== "Namespaces") fail("EINVAL", pidNamespace)
  enter(draft, pid, "pid", place.node as number)
}

const cgroupOf = (draft: Draft, path: string): number => {
  draft.syscall = "openat"
  const place = resolveDirectory(draft, path)
  const filesystem = filesystemOf(draft, place)
  draft.syscall = "clone3"
  if (
    filesystem.content._tag !== "Cgroup" ||
    draft.hierarchies[filesystem.content.hierarchy]!.version !== 2
  ) fail("EBADF", path)
  const id = cgroupOfNode(draft, filesystem, place.node)
  const cgroup = draft.cgroups.get(id)!
  if (cgroup.parent !== 0 && cgroup.subtree.length > 0) fail("EBUSY", path)
  return id
}

const writeMap = (
  draft: Draft,
  init: number,
  file: "uid_map" | "gid_map",
  ranges: ReadonlyArray<
    { readonly inside: number; readonly outside: number; readonly count: number }
  >
): void => {
  if (ranges.length === 0) return
  draft.syscall = "write"
  writeFile(
    draft,
    `/proc/${init}/${file}`,
    ranges.map((one) => `${one.inside} ${one.outside} ${one.count}\n`).join(""),
    {
      mode: 0,
      create: false
    }
  )
}

/** Clones the child; a failure is thrown with the call it happened in. */
export const spawn = (draft: Draft, pid: number): void => {
  const { spec } = taskOf(draft, pid)
  draft.syscall = "pipe2"
  const stdio = makeStreams(draft, pid)
  enterPidNamespace(draft, pid)
  const cgroup = spec.cgroup === "" ? undefined : cgroupOf(draft, spec.cgroup)
  draft.syscall = "clone3"
  const init = fork(draft, pid, {
    namespaces: spec.namespaces,
    stdio,
    ...(cgroup === undefined ? {} : { cgroup }),
    task: {
      _tag: "Init",
      program: spec.program,
      next: 0,
      slots: {},
      maskMount: 0,
      terminal: 0,
      umaskSet: false,
      entered: false
    }
  })
  alter(draft, init, {
    umask: 0,
    session: init,
    terminal: 0,
    argv: ["fx-init", spec.id],
    executable: ""
  })
  alterTask(draft, pid, { init, initStart: processOf(draft, init).startTime })
  if (spec.namespaces.includes("user")) {
    writeMap(draft, init, "gid_map", spec.gidMap)
    writeMap(draft, init, "uid_map", spec.uidMap)
  }
  saveStatus(draft, pid)
  alter(draft, pid, { umask: 0o022 })
  leniently(() =>
    void writeFile(draft, "/proc/self/oom_score_adj", "-999", { mode: 0, create: false })
  )
}
