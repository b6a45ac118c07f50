/** InitOps about the container's terminal: a pty of a devpts, and /dev/console. */
import type { InitOp } from "../../../domain/kernel/InitOp.ts"
import { alter, current, type Draft, fail, takeId } from "../Draft.ts"
import { attributesOf, filesystemOf } from "../files/access.ts"
import { driverOf } from "../files/drivers.ts"
import { resolve } from "../files/resolve.ts"
import { cloneTree } from "../mounts/mountTree.ts"
import { attach } from "../mounts/propagation.ts"
import { alterTerminal, close, hold } from "../processes/descriptors.ts"
import type { Descriptor } from "../processes/Process.ts"
import type { Place } from "../World.ts"
import { alterInit, initTask, supervisorOf } from "./InitState.ts"
import { reach } from "./reach.ts"

/** Major number of pty slaves (Documentation/admin-guide/devices.txt). */
const slaveMajor = 136

/** Opens a pty on a devpts: the slave stays with the child, the master goes to the supervisor. */
export const openTerminal = (draft: Draft, devpts: Place): void => {
  draft.syscall = "openat"
  const filesystem = filesystemOf(draft, devpts)
  const driver = driverOf(filesystem)
  if (filesystem.type !== "devpts") fail("ENODEV", "/dev/pts")
  if (driver.lookup(draft, filesystem, devpts.node, "ptmx") === undefined) {
    fail("ENOENT", "/dev/pts/ptmx")
  }
  let number = 0
  while (driver.lookup(draft, filesystem, devpts.node, String(number)) !== undefined) number++
  const process = current(draft)
  driver.create(draft, filesystem, devpts.node, String(number), {
    type: "character", major: slaveMajor, minor: number, mode: 0o620, uid: process.uid,
    gid: process.gid
  })
  const spec = supervisorOf(draft)?.spec
  const id = takeId(draft)
  draft.terminals = draft.terminals.set(id, {
    id,
    rows: spec?.stdio.rows ?? 0,
    columns: spec?.stdio.columns ?? 0,
    line: "",
    input: [],
    output: [],
    session: 0,
    slaves: 1,
    watchers: [process.parent]
  })
  alterInit(draft, { terminal: id })
  const supervisor = draft.processes.get(process.parent)
  if (supervisor?.task._tag === "Supervisor") {
    alter(draft, supervisor.pid, { task: { ...supervisor.task, terminal: id } })
  }
}

/** The slave's node, to be bound on /dev/console. */
const slaveNode = (draft: Draft): Place => resolve(draft, "/dev/pts/0", false)

export const console = (draft: Draft, op: Extract<InitOp, { readonly _tag: "Console" }>): void => {
  if (initTask(draft).terminal === 0) {
    draft.syscall = "openat2"
    openTerminal(draft, resolve(draft, "/dev/pts", true, { noSymlinks: true, noMagicLinks: true }))
  }
  if (op.bindConsole) {
    const target = reach(draft, "/dev/console", { kind: "file", mode: 0o600, strict: true })
    draft.syscall = "open_tree"
    const slave = slaveNode(draft)
    const tree = cloneTree(draft, slave.mount, { recursive: false, bind: true, root: slave.node })
    draft.syscall = "move_mount"
    if (attributesOf(draft, target).type === "directory") fail("ENOTDIR", "/dev/console")
    attach(draft, tree, target)
  }
  draft.syscall = "ioctl"
  const { terminal } = initTask(draft)
  const process = current(draft)
  const descriptor: Descriptor = { _tag: "Terminal", terminal }
  for (let index = 0; index < 3; index++) hold(draft, descriptor)
  for (const before of process.stdio) close(draft, before)
  alter(draft, process.pid, {
    stdio: [descriptor, descriptor, descriptor],
    terminal,
    session: process.pid
  })
  alterTerminal(draft, terminal, { session: process.pid })
}
