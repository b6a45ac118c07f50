/** Applets that make, move, copy and take away files. */
import { errnoOf, list, messageOf, perform, readFile, status } from "../calls.ts"
import type { Running } from "../makeBehaviour.ts"
import { type Applets, baseName, complain, complainOf, parseOptions } from "./Applet.ts"

function* touch(args: ReadonlyArray<string>): Running<number> {
  const { flags, operands } = parseOptions(args)
  let code = 0
  for (const path of operands) {
    const found = yield* status(path, true)
    if (flags.has("c") && !found.ok) continue
    const result = yield* perform({ _tag: "WriteFile", path, data: "", append: true })
    if (!result.ok && result.errno !== "EISDIR") {
      code = yield* complain(`touch: ${path}: ${messageOf(result.errno)}`)
    }
  }
  return code
}

/** Makes a directory and what is missing above it; what could not be made and why. */
function* makeParents(path: string): Running<readonly [path: string, errno: string] | undefined> {
  const parts = path.split("/").filter((part) => part !== "")
  for (let count = 1; count <= parts.length; count++) {
    const at = (path.startsWith("/") ? "/" : "") + parts.slice(0, count).join("/")
    const result = yield* perform({ _tag: "MakeDirectory", path: at, mode: 0o777 })
    if (result.ok) continue
    const found = yield* status(at, true)
    if (found.ok && found.value.type === "directory") continue
    return [count === parts.length ? path : `${at}/`, result.errno]
  }
  return undefined
}

function* makeOne(
  path: string,
  mode: number
): Running<readonly [path: string, errno: string] | undefined> {
  const errno = yield* errnoOf({ _tag: "MakeDirectory", path, mode })
  return errno === undefined ? undefined : [path, errno]
}

function* mkdir(args: ReadonlyArray<string>): Running<number> {
  const { flags, values, operands } = parseOptions(args, "m")
  let code = 0
  for (const path of operands) {
    const mode = values.has("m") ? parseInt(values.get("m")!, 8) : 0o777
    const failed = flags.has("p") ? yield* makeParents(path) : yield* makeOne(path, mode)
    if (failed !== undefined) {
      code = yield* complainOf("mkdir", "can't create directory", ...failed)
    }
  }
  return code
}

/** Takes a tree away; says what could not be, and goes on. */
function* removeTree(path: string): Running<number> {
  const found = yield* status(path, false)
  if (found.ok && found.value.type === "directory") {
    let code = 0
    const names = yield* list(path)
    for (const name of names.ok ? names.value : []) {
      code = (yield* removeTree(`${path}/${name}`)) || code
    }
    const errno = yield* errnoOf({ _tag: "RemoveDirectory", path })
    return errno === undefined ? code : yield* complainOf("rm", "can't remove", path, errno)
  }
  const errno = found.ok ? yield* errnoOf({ _tag: "RemoveFile", path }) : found.errno
  return errno === undefined ? 0 : yield* complainOf("rm", "can't remove", path, errno)
}

function* rm(args: ReadonlyArray<string>): Running<number> {
  const { flags, operands } = parseOptions(args)
  let code = 0
  for (const path of operands) {
    const found = yield* status(path, false)
    if (!found.ok) {
      if (!flags.has("f") || found.errno !== "ENOENT") {
        code = yield* complainOf("rm", "can't remove", path, found.errno)
      }
    } else if (found.value.type === "directory" && !flags.has("r") && !flags.has("R")) {
      code = yield* complain(`rm: '${path}' is a directory`)
    } else code = (yield* removeTree(path)) || code
  }
  return code
}

function* rmdir(args: ReadonlyArray<string>): Running<number> {
  let code = 0
  for (const path of parseOptions(args).operands) {
    const errno = yield* errnoOf({ _tag: "RemoveDirectory", path })
    if (errno !== undefined) code = yield* complain(`rmdir: '${path}': ${messageOf(errno)}`)
  }
  return code
}

/** The target, or the place in it when it is a directory. */
function* destination(target: string, source: string): Running<string> {
  const found = yield* status(target, true)
  return found.ok && found.value.type === "directory" ? `${target}/${baseName(source)}` : target
}

function* copyFile(from: string, to: string): Running<string | undefined> {
  const data = yield* readFile(from)
  if (!data.ok) return data.errno
  const errno = yield* errnoOf({ _tag: "WriteFile", path: to, data: data.value, append: false })
  const found = yield* status(from, true)
  if (errno === undefined && found.ok) {
    yield* perform({ _tag: "ChangeMode", path: to, mode: found.value.mode & 0o777 })
  }
  return errno
}

function* mv(args: ReadonlyArray<string>): Running<number> {
  const { operands } = parseOptions(args)
  const target = operands.at(-1) ?? ""
  let code = 0
  for (const from of operands.slice(0, -1)) {
    const to = yield* destination(target, from)
    let errno = yield* errnoOf({ _tag: "Rename", from, to })
    if (errno === "EXDEV") {
      errno = (yield* copyFile(from, to)) ?? (yield* errnoOf({ _tag: "RemoveFile", path: from }))
    }
    if (errno !== undefined) code = yield* complainOf("mv", "can't rename", from, errno)
  }
  return code
}

function* copyTree(from: string, to: string, recursive: boolean): Running<number> {
  const found = yield* status(from, !recursive)
  if (!found.ok) return yield* complain(`cp: can't stat '${from}': ${messageOf(found.errno)}`)
  if (found.value.type === "symlink") {
    const errno = yield* errnoOf({ _tag: "Symlink", target: found.value.target!, path: to })
    return errno === undefined ? 0 : yield* complainOf("cp", "can't create symlink", to, errno)
  }
  if (found.value.type !== "directory") {
    const errno = yield* copyFile(from, to)
    return errno === undefined ? 0 : yield* complainOf("cp", "can't create", to, errno)
  }
  if (!recursive) return yield* complain(`cp: omitting directory '${from}'`)
  const there = yield* status(to, true)
  if (there.ok && there.value.type !== "directory") {
    return yield* complain(`cp: can't stat '${to}/${baseName(from)}': ${messageOf("ENOTDIR")}`)
  }
  let code = 0
  const errno = yield* errnoOf({ _tag: "MakeDirectory", path: to, mode: found.value.mode & 0o777 })
  if (errno !== undefined && errno !== "EEXIST") {
    return yield* complainOf("cp", "can't create directory", to, errno)
  }
  const names = yield* list(from)
  for (const name of names.ok ? names.value : []) {
    code = (yield* copyTree(`${from}/${name}`, `${to}/${name}`, true)) || code
  }
  return code
}

function* cp(args: ReadonlyArray<string>): Running<number> {
  const { flags, operands } = parseOptions(args)
  const target = operands.at(-1) ?? ""
  let code = 0
  for (const from of operands.slice(0, -1)) {
    const to = yield* destination(target, from)
    code = (yield* copyTree(from, to, ["r", "R", "a"].some((flag) => flags.has(flag)))) || code
  }
  return code
}

function* ln(args: ReadonlyArray<string>): Running<number> {
  const { flags, operands } = parseOptions(args)
  const [target = "", given = baseName(target)] = operands
  const path = yield* destination(given, target)
  const source = yield* status(target, false)
  if (!flags.has("s") && !source.ok) {
    return yield* complain(`ln: ${target}: ${messageOf(source.errno)}`)
  }
  if (flags.has("f")) yield* perform({ _tag: "RemoveFile", path })
  const errno = yield* errnoOf(
    flags.has("s") ? { _tag: "Symlink", target, path } : { _tag: "Link", from: target, to: path }
  )
  return errno === undefined ? 0 : yield* complain(`ln: ${path}: ${messageOf(errno)}`)
}

function* mkfifo(args: ReadonlyArray<string>): Running<number> {
  for (const path of parseOptions(args).operands) {
    const errno = yield* errnoOf({ _tag: "MakeNode", path, type: "fifo", major: 0, minor: 0 })
    if (errno !== undefined) return yield* complain(`mkfifo: ${path}: ${messageOf(errno)}`)
  }
  return 0
}

function* mknod(args: ReadonlyArray<string>): Running<number> {
  const [path = "", type = "", major = "0", minor = "0"] = parseOptions(args).operands
  const kind = type === "p" ? "fifo" : type === "b" ? "block" : "character"
  const errno = yield* errnoOf({
    _tag: "MakeNode",
    path,
    type: kind,
    major: Number(major),
    minor: Number(minor)
  })
  return errno === undefined ? 0 : yield* complain(`mknod: ${path}: ${messageOf(errno)}`)
}

export const fileApplets: Applets = { touch, mkdir, rm, rmdir, mv, cp, ln, mkfifo, mknod }
