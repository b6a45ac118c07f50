/** The system calls that programs make, performed for the process that makes them. */
import type { Call, Facts, FileCall, Redirection, Seen, Status, Waited } from "../behaviours/Behaviour.ts"
import { resize } from "../cgroups/memoryFiles.ts"
import { alter, type Draft, fail, processOf } from "../Draft.ts"
import { attributesOf, filesystemOf, requireAccess, execute } from "../files/access.ts"
import { bytesOf, type Attributes } from "../files/Driver.ts"
import * as files from "../files/fileCalls.ts"
import { pathOf, resolve, resolveDirectory } from "../files/resolve.ts"
import { maySignal, overflowId, toHost, toInside } from "./credentials.ts"
import { close, closePipe, hold, makePipe } from "./descriptors.ts"
import { read, readPipe, write } from "./descriptorCalls.ts"
import { become, findProgram } from "./exec.ts"
import { endProcess, isReapable, reap } from "./exit.ts"
import { fork } from "./fork.ts"
import { namespaceAt } from "./namespaces.ts"
import type { Descriptor, Process, ProgramTask } from "./Process.ts"
import { schedule } from "./schedule.ts"
import { addCpu } from "./program.ts"
import { dispositionOf, lastSignal, sendSignal } from "./signals.ts"

/** `undefined`: the call waits. */
type Outcome = { readonly value: unknown } | undefined

const done: Outcome = { value: undefined }

/** The number that a process has in the namespace of another; 0 when it is not to be seen there. */
const pidSeenBy = (viewer: Process, seen: Process | undefined): number =>
  seen?.pids.find((one) => one.namespace === viewer.pids[0]!.namespace)?.pid ?? 0

/** The process with a number in the caller's namespace. */
const findByPid = (draft: Draft, viewer: Process, pid: number): Process | undefined => {
  const namespace = viewer.pids[0]!.namespace
  if (namespace === draft.initial.pid) return draft.processes.get(pid)
  return draft.processes.values().find((one) => one.pids.some((each) => each.namespace === namespace && each.pid === pid))
}

const factsOf = (draft: Draft, process: Process): Facts => {
  const { user, uts } = process.namespaces
  const inside = (kind: "uidMap" | "gidMap", id: number) => toInside(draft, user, kind, id) ?? overflowId
  return {
    pid: process.pids[0]!.pid,
    parent: pidSeenBy(process, draft.processes.get(process.parent)),
    uid: inside("uidMap", process.uid),
    gid: inside("gidMap", process.gid),
    groups: process.groups.map((group) => inside("gidMap", group)),
    hostname: namespaceAt(draft, "uts", uts).hostname,
    directory: pathOf(draft, process.directory, process.root),
    environment: process.environment,
    umask: process.umask,
    stdio: [process.stdio[0]._tag, process.stdio[1]._tag, process.stdio[2]._tag],
    now: draft.now,
    machine: draft.host.machine,
    kernelRelease: draft.host.kernelRelease,
    cpus: draft.host.cpus,
    effectiveCapabilities: process.capabilities.effective
  }
}

const seenProcesses = (draft: Draft, viewer: Process): ReadonlyArray<Seen> =>
  draft.processes.values().flatMap((one) => {
    const pid = pidSeenBy(viewer, one)
    return pid === 0 || one.state === "zombie"
      ? []
      : [{ pid, uid: toInside(draft, viewer.namespaces.user, "uidMap", one.uid) ?? overflowId, argv: one.argv }]
  }).sort((one, other) => one.pid - other.pid)

/** Paths that stand for a process's own descriptors. */
const ownDescriptor = /^\/(?:dev\/std(in|out|err)|(?:proc\/self|dev)\/fd\/([012]))$/

const openPath = (
  draft: Draft, stdio: Process["stdio"], path: string, mode: "read" | "write" | "append"
): Descriptor => {
  const own = ownDescriptor.exec(path)
  if (own !== null) return stdio[own[2] === undefined ? { in: 0, out: 1, err: 2 }[own[1]!]! : Number(own[2])]!
  if (mode === "read") {
    const place = resolve(draft, path, true)
    const attributes = attributesOf(draft, place)
    requireAccess(draft, attributes, 4, path)
    if (attributes.type === "character") return { _tag: "Null" }
    return { _tag: "File", filesystem: filesystemOf(draft, place).id, node: place.node, offset: 0 }
  }
  const place = files.writeFile(draft, path, "", { mode: 0o666, append: mode === "append" })
  if (attributesOf(draft, place).type !== "file") return { _tag: "Null" }
  return { _tag: "File", filesystem: filesystemOf(draft, place).id, node: place.node, offset: 0 }
}

const openFor = (draft: Draft, process: Process, stdio: Process["stdio"], redirection: Redirection): Descriptor => {
  if ("from" in redirection) return stdio[redirection.from]
  if ("path" in redirection) return openPath(draft, stdio, redirection.path, redirection.mode)
  if (!process.pipes.includes(redirection.pipe)) fail("EBADF")
  return redirection.end === "read"
    ? { _tag: "PipeRead", pipe: redirection.pipe }
    : { _tag: "PipeWrite", pipe: redirection.pipe }
}

const redirected = (draft: Draft, process: Process, redirections: ReadonlyArray<Redirection>): Process["stdio"] => {
  let result = process.stdio
  for (const one of redirections) {
    result = result.with(one.descriptor, openFor(draft, process, result, one)) as unknown as Process["stdio"]
  }
  return result
}

/** Puts other descriptors in the place of a process's own. */
const replaceStdio = (draft: Draft, process: Process, stdio: Process["stdio"]): void => {
  for (const descriptor of stdio) hold(draft, descriptor)
  alter(draft, process.pid, { stdio })
  for (const descriptor of process.stdio) close(draft, descriptor)
}

const spawn = (draft: Draft, pid: number, call: Extract<Call, { readonly _tag: "Spawn" }>): Outcome => {
  const process = processOf(draft, pid)
  const environment = call.environment ?? process.environment
  const program = findProgram(draft, call.argv, environment)
  const stdio = redirected(draft, process, call.redirections ?? [])
  const child = fork(draft, pid, { task: process.task, stdio })
  const task = process.task as ProgramTask
  // Handlers do not survive execve, ignored signals do
  alter(draft, child, { task: { ...task, caught: [] } })
  const caller = draft.current
  draft.current = child
  become(draft, child, program, environment)
  draft.current = caller
  return { value: pidSeenBy(process, draft.processes.get(child)) }
}

const exec = (draft: Draft, pid: number, call: Extract<Call, { readonly _tag: "Exec" }>): Outcome => {
  const process = processOf(draft, pid)
  const environment = call.environment ?? process.environment
  const program = findProgram(draft, call.argv, environment)
  const stdio = redirected(draft, process, call.redirections ?? [])
  replaceStdio(draft, process, stdio)
  become(draft, pid, program, environment)
  schedule(draft, pid, 0)
  return done
}

const wait = (draft: Draft, pid: number, wanted: number, poll: boolean): Outcome => {
  const process = processOf(draft, pid)
  const children = process.children.map((child) => processOf(draft, child))
    .filter((child) => wanted === 0 || pidSeenBy(process, child) === wanted)
  if (children.length === 0) fail("ECHILD")
  const dead = children.find((child) => isReapable(draft, child))
  if (dead === undefined) return poll ? { value: { pid: 0, code: 0, signal: 0 } satisfies Waited } : undefined
  const waited: Waited = { pid: pidSeenBy(process, dead), code: dead.exit!.code, signal: dead.exit!.signal }
  reap(draft, dead.pid)
  return { value: waited }
}

const kill = (draft: Draft, pid: number, target: number, signal: number): Outcome => {
  if (signal < 0 || signal > lastSignal) fail("EINVAL")
  const sender = processOf(draft, pid)
  const namespace = sender.pids[0]!.namespace
  // −1: everything that may be signalled, but for pid 1 and oneself
  const targets = target === -1
    ? draft.processes.values().filter((one) =>
      one.pid !== pid && one.pids.some((each) => each.namespace === namespace && each.pid > 1) && maySignal(draft, sender, one))
    : target === 0
    ? draft.processes.values().filter((one) => one.session === sender.session && one.pids.some((each) => each.namespace === namespace))
    : [findByPid(draft, sender, target) ?? fail("ESRCH")]
  if (targets.length === 0) fail("ESRCH")
  for (const one of targets) {
    if (!maySignal(draft, sender, one)) fail("EPERM")
    sendSignal(draft, one.pid, signal, pid)
  }
  return done
}

const sleep = (draft: Draft, pid: number, micros: number): Outcome => {
  const task = processOf(draft, pid).task as ProgramTask
  if (task.until === undefined) {
    alter(draft, pid, { task: { ...task, until: draft.now + micros } })
    schedule(draft, pid, micros)
    return undefined
  }
  if (draft.now >= task.until) return done
  schedule(draft, pid, task.until - draft.now)
  return undefined
}

const handle = (draft: Draft, pid: number, signal: number, how: "catch" | "ignore" | "default"): Outcome => {
  const task = processOf(draft, pid).task as ProgramTask
  const without = (list: ReadonlyArray<number>) => list.filter((one) => one !== signal)
  const caught = without(task.caught)
  const ignored = without(task.ignored)
  alter(draft, pid, {
    task: {
      ...task, caught: how === "catch" ? [...caught, signal] : caught, ignored: how === "ignore" ? [...ignored, signal] : ignored
    }
  })
  return done
}

const takeSignals = (draft: Draft, pid: number): ReadonlyArray<number> => {
  const process = processOf(draft, pid)
  const caught = process.pending.filter((signal) => dispositionOf(process, signal) === "catch")
  if (caught.length > 0) alter(draft, pid, { pending: process.pending.filter((signal) => !caught.includes(signal)) })
  return caught
}

const statusOf = (draft: Draft, process: Process, attributes: Attributes): Status => {
  const { user } = process.namespaces
  return {
    ...attributes,
    uid: toInside(draft, user, "uidMap", attributes.uid) ?? overflowId,
    gid: toInside(draft, user, "gidMap", attributes.gid) ?? overflowId
  }
}

const changeDirectory = (draft: Draft, pid: number, path: string): void => {
  const place = resolveDirectory(draft, path)
  requireAccess(draft, attributesOf(draft, place), execute, path)
  alter(draft, pid, { directory: place })
}

/** Content of a file, with what the memory devices give. */
const readFile = (draft: Draft, path: string): Uint8Array => {
  const place = resolve(draft, path, true)
  if (attributesOf(draft, place).type === "character") return new Uint8Array(0)
  return bytesOf(files.readFile(draft, path))
}

const performFileCall = (draft: Draft, pid: number, call: FileCall): unknown => {
  const process = processOf(draft, pid)
  const { uid, gid } = process
  switch (call._tag) {
    case "ReadFile":
      return readFile(draft, call.path)
    case "WriteFile":
      return void files.writeFile(draft, call.path, call.data, { mode: 0o666, append: call.append })
    case "List":
      return files.list(draft, call.path)
    case "Stat":
      return statusOf(draft, process, files.status(draft, call.path, call.follow))
    case "MakeDirectory":
      return void files.makeDirectory(draft, call.path, call.mode)
    case "MakeNode": {
      const mode = 0o666 & ~process.umask
      return void files.makeNode(draft, call.path, call.type === "fifo"
        ? { type: "fifo", mode, uid, gid }
        : { type: call.type, mode, uid, gid, major: call.major, minor: call.minor })
    }
    case "RemoveFile":
      return files.remove(draft, call.path, false)
    case "RemoveDirectory":
      return files.remove(draft, call.path, true)
    case "Rename":
      return files.rename(draft, call.from, call.to)
    case "Link":
      return files.makeLink(draft, call.from, call.to)
    case "Symlink":
      return void files.makeSymlink(draft, call.target, call.path)
    case "ChangeMode":
      return files.changeMode(draft, call.path, call.mode)
    case "ChangeOwner": {
      const { user } = process.namespaces
      return files.changeOwner(draft, call.path, toHost(draft, user, "uidMap", call.uid) ?? fail("EINVAL"),
        toHost(draft, user, "gidMap", call.gid) ?? fail("EINVAL"))
    }
    case "ChangeDirectory":
      return changeDirectory(draft, pid, call.path)
  }
}

/** Performs a call of `pid`, which is the draft's current process. Failures are thrown. */
export const performCall = (draft: Draft, pid: number, call: Call): Outcome => {
  switch (call._tag) {
    case "Exit":
      endProcess(draft, pid, { code: call.code & 0xff, signal: 0 })
      return undefined
    case "Sleep":
      return sleep(draft, pid, call.micros)
    case "Pause":
      return undefined
    case "Compute":
      if ((processOf(draft, pid).task as ProgramTask).until === undefined) addCpu(draft, pid, call.micros)
      return sleep(draft, pid, call.micros)
    case "Read":
      return read(draft, pid, call.descriptor)
    case "Write":
      return write(draft, pid, call)
    case "Spawn":
      return spawn(draft, pid, call)
    case "Exec":
      return exec(draft, pid, call)
    case "Wait":
      return wait(draft, pid, call.pid, call.poll)
    case "Kill":
      return kill(draft, pid, call.pid, call.signal)
    case "TakeSignals":
      return { value: takeSignals(draft, pid) }
    case "Handle":
      return handle(draft, pid, call.signal, call.how)
    case "Allocate":
      resize(draft, pid, Math.max(0, processOf(draft, pid).memory + call.bytes))
      return done
    case "MakePipe": {
      const pipe = makePipe(draft, 1, 1, pid)
      alter(draft, pid, { pipes: [...processOf(draft, pid).pipes, pipe] })
      return { value: pipe }
    }
    case "ClosePipe":
      closePipe(draft, pid, call.pipe)
      return done
    case "ReadPipe":
      return readPipe(draft, pid, call.pipe)
    case "Redirect": {
      const process = processOf(draft, pid)
      replaceStdio(draft, process, redirected(draft, process, call.redirections))
      return done
    }
    case "Facts":
      return { value: factsOf(draft, processOf(draft, pid)) }
    case "Processes":
      return { value: seenProcesses(draft, processOf(draft, pid)) }
    default:
      return { value: performFileCall(draft, pid, call) }
  }
}

