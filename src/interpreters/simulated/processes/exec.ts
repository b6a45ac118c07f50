/**
 * execve(2): which file, whether it may be run, what it then is allowed, and which behaviour it
 * has.
 */
import type { Behaviour } from "../behaviours/Behaviour.ts"
import { resize } from "../cgroups/memoryFiles.ts"
import { alter, current, type Draft, fail, Failure, processOf } from "../Draft.ts"
import { attributesOf, execute, filesystemOf, mayAccess, mountOf } from "../files/access.ts"
import { textOf } from "../files/Driver.ts"
import { driverOf } from "../files/drivers.ts"
import { pathOf, resolve } from "../files/resolve.ts"
import type { Place } from "../World.ts"
import { toInside } from "./credentials.ts"
import type { CapabilitySets, Process } from "./Process.ts"

/** Bytes a small program uses; charged at execve. */
export const baseMemory = 256 * 1024

/** BINPRM_BUF_SIZE, and how deep interpreters may nest (fs/binfmt_script.c, fs/exec.c). */
const interpreterLine = 256
const interpreterDepth = 5

export interface Program {
  readonly path: string
  /** The last name of the path it was called by. */
  readonly name: string
  readonly place: Place
  readonly argv: ReadonlyArray<string>
  /** Key in the table of behaviours. */
  readonly behaviour: string
}

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1)

const behaviourOf = (draft: Draft, path: string, real: string, argv0: string): string | undefined =>
  [path, real, baseName(argv0), baseName(path), baseName(real)].find((key) =>
    draft.behaviours[key] !== undefined
  )

/** The file itself, after its interpreter line if it has one. */
const load = (draft: Draft, path: string, argv: ReadonlyArray<string>, depth: number): Program => {
  const place = resolve(draft, path, true)
  const attributes = attributesOf(draft, place)
  if (attributes.type !== "file") fail("EACCES", path)
  if (mountOf(draft, place).flags.noexec || !mayAccess(draft, attributes, execute)) {
    fail("EACCES", path)
  }
  const filesystem = filesystemOf(draft, place)
  const content = driverOf(filesystem).read(draft, filesystem, place.node)
  const head = typeof content === "string" ? content : textOf(content.subarray(0, interpreterLine))
  const real = pathOf(draft, place, current(draft).root)
  if (head.startsWith("#!")) {
    if (depth === interpreterDepth) fail("ELOOP", path)
    const [interpreter = "", argument] = head.slice(2, interpreterLine).split("\n")[0]!.trim()
      .split(/\s+(.*)/s)
    if (interpreter === "") fail("ENOEXEC", path)
    return load(draft, interpreter, [
      interpreter,
      ...(argument ? [argument] : []),
      path,
      ...argv.slice(1)
    ], depth + 1)
  }
  const behaviour = behaviourOf(draft, path, real, argv[0]!)
  return behaviour === undefined
    ? fail(
      "ENOEXEC",
      path,
      "the simulated kernel has no behaviour for this program: register one under its name"
    )
    : { path: real, name: baseName(path), place, argv, behaviour }
}

/** PATH when the environment has none: that of the supervisor and of execvp(3) in musl. */
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

const searchPath = (environment: ReadonlyArray<string>): string =>
  environment.find((one) => one.startsWith("PATH="))?.slice("PATH=".length) || defaultPath

/**
 * The first that can be run of `name` in the directories; failures to pass over are given to
 * `passed`.
 */
const search = (
  draft: Draft,
  argv: ReadonlyArray<string>,
  directories: ReadonlyArray<string>,
  passed: (errno: string) => boolean
): Program | undefined => {
  for (const directory of directories) {
    try {
      return load(draft, `${directory.replace(/\/$/, "")}/${argv[0]}`, argv, 0)
    } catch (failure) {
      if (!(failure instanceof Failure) || !passed(failure.errno)) throw failure
    }
  }
  return undefined
}

/**
 * Finds a program as a shell does, by execvpe(3): EACCES when it is only where it may not be run.
 */
export const findProgram = (
  draft: Draft,
  argv: ReadonlyArray<string>,
  environment: ReadonlyArray<string>
): Program => {
  const name = argv[0] ?? ""
  if (name.includes("/")) return load(draft, name, argv, 0)
  let denied = false
  const directories = searchPath(environment).split(":").map((one) => one === "" ? "." : one)
  const found = name === "" ? undefined : search(draft, argv, directories, (errno) => {
    denied ||= errno === "EACCES"
    return errno === "EACCES" || errno === "ENOENT" || errno === "ENOTDIR"
  })
  return found ?? fail(denied ? "EACCES" : "ENOENT", name)
}

/**
 * Finds a container's program as the supervisor's child does: only absolute directories count, a
 * file that may not be executed does not end the search, and when nothing is found the error is
 * ENOENT.
 */
export const findInitProgram = (
  draft: Draft,
  argv: ReadonlyArray<string>,
  environment: ReadonlyArray<string>
): Program => {
  const name = argv[0] ?? ""
  if (name.includes("/")) return load(draft, name, argv, 0)
  const directories = searchPath(environment).split(":").filter((one) => one.startsWith("/"))
  const found = name === "" ?
    undefined :
    search(
      draft,
      argv,
      directories,
      (errno) =>
        errno === "ENOENT" || errno === "ENOTDIR" || errno === "EACCES" || errno === "ELOOP"
    )
  return found ?? fail("ENOENT", name)
}

/**
 * capabilities(7), "Transformation of capabilities during execve()": root gets all of its bounding
 * set.
 */
const afterExec = (process: Process, isRoot: boolean): CapabilitySets => {
  const { bounding, inheritable, ambient, permitted } = process.capabilities
  if (!isRoot) return { bounding, inheritable, ambient, permitted: ambient, effective: ambient }
  const gained = [...new Set([...bounding, ...inheritable])].sort((one, other) => one - other)
  const allowed = process.noNewPrivileges ? gained.filter((one) => permitted.includes(one)) : gained
  return { bounding, inheritable, ambient, permitted: allowed, effective: allowed }
}

/** The set-user-ID bit, where the mount and no_new_privs leave it its effect. */
const idsAfterExec = (draft: Draft, process: Process, place: Place): Partial<Process> => {
  const { mode, uid, gid } = attributesOf(draft, place)
  if (process.noNewPrivileges || mountOf(draft, place).flags.nosuid) return {}
  return {
    ...((mode & 0o4000) === 0 ? {} : { uid }),
    ...((mode & 0o2010) === 0o2010 ? { gid } : {})
  }
}

/** Makes `pid` run a program that was found. The OOM killer may strike at once. */
export const become = (
  draft: Draft,
  pid: number,
  program: Program,
  environment: ReadonlyArray<string>
): void => {
  const process = processOf(draft, pid)
  const behaviour = draft.behaviours[program.behaviour] as unknown as Behaviour
  const ids = idsAfterExec(draft, process, program.place)
  const changed = alter(draft, pid, {
    ...ids,
    argv: program.argv,
    environment,
    executable: program.path,
    name: program.name
  })
  const isRoot = toInside(draft, changed.namespaces.user, "uidMap", changed.uid) === 0
  const ignored = process.task._tag === "Program" ? process.task.ignored : []
  alter(draft, pid, {
    capabilities: afterExec(changed, isRoot),
    task: {
      _tag: "Program",
      behaviour: program.behaviour,
      state: behaviour.start({ argv: program.argv, environment }),
      event: { _tag: "Start" },
      caught: [],
      ignored
    }
  })
  resize(draft, pid, baseMemory)
}
