/** Applets that make, show and take away files. */
import type { Status } from "../Behaviour.ts"
import { list, messageOf, perform, readFile, status, write } from "../calls.ts"
import type { Running } from "../makeBehaviour.ts"
import { type Applets, complain, complainOf, parseOptions } from "./Applet.ts"

const baseName = (path: string): string => path.replace(/\/+$/, "").split("/").at(-1) || "/"

const letters: { readonly [type: string]: string } = {
  file: "-", directory: "d", symlink: "l", block: "b", character: "c", fifo: "p", socket: "s"
}

/** The ten characters of ls -l. */
const modeText = ({ type, mode }: Status): string => {
  const bits = [..."rwxrwxrwx"].map((letter, index) => (mode >> (8 - index)) & 1 ? letter : "-")
  if (mode & 0o4000) bits[2] = bits[2] === "x" ? "s" : "S"
  if (mode & 0o2000) bits[5] = bits[5] === "x" ? "s" : "S"
  if (mode & 0o1000) bits[8] = bits[8] === "x" ? "t" : "T"
  return letters[type]! + bits.join("")
}

/** Names of users or groups by number, from the file of a root. */
function* namesOf(path: string): Running<ReadonlyMap<number, string>> {
  const result = yield* readFile(path)
  if (!result.ok) return new Map()
  return new Map(new TextDecoder().decode(result.value).split("\n").flatMap((line) => {
    const [name, , id] = line.split(":")
    return name === undefined || id === undefined ? [] : [[Number(id), name] as const]
  }))
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

const dateText = (micros: number): string => {
  const date = new Date(micros / 1000)
  const two = (number: number) => String(number).padStart(2, "0")
  return `${months[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`
}

interface Listed {
  readonly name: string
  readonly status: Status
}

function* printListed(entries: ReadonlyArray<Listed>, long: boolean, numeric: boolean): Running<void> {
  if (!long) return yield* write(entries.map(({ name }) => `${name}\n`).join(""))
  const users = numeric ? new Map<number, string>() : yield* namesOf("/etc/passwd")
  const groups = numeric ? new Map<number, string>() : yield* namesOf("/etc/group")
  const lines = entries.map(({ name, status: one }) => {
    const size = one.type === "block" || one.type === "character" ? `${one.major}, ${String(one.minor).padStart(3)}` : String(one.size)
    const owner = `${(users.get(one.uid) ?? String(one.uid)).padEnd(8)} ${(groups.get(one.gid) ?? String(one.gid)).padEnd(8)}`
    const target = one.target === undefined ? "" : ` -> ${one.target}`
    return `${modeText(one)} ${String(one.links).padStart(4)} ${owner} ${size.padStart(9)} ${dateText(one.modified)} ${name}${target}\n`
  })
  yield* write(lines.join(""))
}

function* listDirectory(path: string, all: boolean): Running<ReadonlyArray<Listed> | string> {
  const names = yield* list(path)
  if (!names.ok) return names.errno
  const listed: Array<Listed> = []
  for (const name of all ? [".", "..", ...names.value] : names.value.filter((one) => !one.startsWith("."))) {
    const result = yield* status(`${path}/${name}`, false)
    if (result.ok) listed.push({ name, status: result.value })
  }
  return listed
}

function* ls(args: ReadonlyArray<string>): Running<number> {
  const { flags, operands } = parseOptions(args)
  const [long, numeric, all] = [flags.has("l") || flags.has("n"), flags.has("n"), flags.has("a") || flags.has("A")]
  const files: Array<Listed> = []
  const directories: Array<string> = []
  let code = 0
  for (const path of operands.length === 0 ? ["."] : operands) {
    const result = yield* status(path, !long)
    const found = result.ok || long ? result : yield* status(path, false)
    if (!found.ok) code = yield* complain(`ls: ${path}: ${messageOf(found.errno)}`)
    else if (found.value.type === "directory" && !flags.has("d")) directories.push(path)
    else files.push({ name: path, status: found.value })
  }
  yield* printListed(files, long, numeric)
  for (const [index, path] of directories.entries()) {
    const listed = yield* listDirectory(path, all)
    if (typeof listed === "string") {
      code = yield* complain(`ls: can't open '${path}': ${messageOf(listed)}`)
      continue
    }
    if (operands.length > 1) yield* write(`${index > 0 || files.length > 0 ? "\n" : ""}${path}:\n`)
    yield* printListed(listed, long, numeric)
  }
  return code
}

function* touch(args: ReadonlyArray<string>): Running<number> {
  const { flags, operands } = parseOptions(args)
  let code = 0
  for (const path of operands) {
    const found = yield* status(path, true)
    if (flags.has("c") && !found.ok) continue
    const result = yield* perform({ _tag: "WriteFile", path, data: "", append: true })
    if (!result.ok && result.errno !== "EISDIR") code = yield* complain(`touch: ${path}: ${messageOf(result.errno)}`)
  }
  return code
}

function* makeParents(path: string): Running<string | undefined> {
  const parts = path.split("/").filter((part) => part !== "")
  for (let count = 1; count <= parts.length; count++) {
    const at = (path.startsWith("/") ? "/" : "") + parts.slice(0, count).join("/")
    const result = yield* perform({ _tag: "MakeDirectory", path: at, mode: 0o777 })
    if (result.ok) continue
    const found = yield* status(at, true)
    if (!found.ok || found.value.type !== "directory") return result.errno
  }
  return undefined
}

function* mkdir(args: ReadonlyArray<string>): Running<number> {
  const { flags, values, operands } = parseOptions(args, "m")
  let code = 0
  for (const path of operands) {
    const errno = flags.has("p")
      ? yield* makeParents(path)
      : yield* errnoOf({ _tag: "MakeDirectory", path, mode: values.has("m") ? parseInt(values.get("m")!, 8) : 0o777 })
    if (errno !== undefined) code = yield* complainOf("mkdir", "can't create directory", path, errno)
  }
  return code
}

function* errnoOf(call: Parameters<typeof perform>[0]): Running<string | undefined> {
  const result = yield* perform(call)
  return result.ok ? undefined : result.errno
}

/** Takes a tree away; says what could not be, and goes on. */
function* removeTree(path: string): Running<number> {
  const found = yield* status(path, false)
  if (found.ok && found.value.type === "directory") {
    let code = 0
    const names = yield* list(path)
    for (const name of names.ok ? names.value : []) code = (yield* removeTree(`${path}/${name}`)) || code
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
      if (!flags.has("f") || found.errno !== "ENOENT") code = yield* complainOf("rm", "can't remove", path, found.errno)
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
  if (errno === undefined && found.ok) yield* perform({ _tag: "ChangeMode", path: to, mode: found.value.mode & 0o777 })
  return errno
}

function* mv(args: ReadonlyArray<string>): Running<number> {
  const { operands } = parseOptions(args)
  const target = operands.at(-1) ?? ""
  let code = 0
  for (const from of operands.slice(0, -1)) {
    const to = yield* destination(target, from)
    let errno = yield* errnoOf({ _tag: "Rename", from, to })
    if (errno === "EXDEV") errno = (yield* copyFile(from, to)) ?? (yield* errnoOf({ _tag: "RemoveFile", path: from }))
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
  let code = 0
  const errno = yield* errnoOf({ _tag: "MakeDirectory", path: to, mode: found.value.mode & 0o777 })
  if (errno !== undefined && errno !== "EEXIST") return yield* complainOf("cp", "can't create directory", to, errno)
  const names = yield* list(from)
  for (const name of names.ok ? names.value : []) code = (yield* copyTree(`${from}/${name}`, `${to}/${name}`, true)) || code
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
  if (flags.has("f")) yield* perform({ _tag: "RemoveFile", path })
  const errno = yield* errnoOf(flags.has("s") ? { _tag: "Symlink", target, path } : { _tag: "Link", from: target, to: path })
  return errno === undefined ? 0 : yield* complain(`ln: ${path}: ${messageOf(errno)}`)
}

const symbolicMode = (before: number, text: string): number | undefined => {
  const match = /^([ugoa]*)([+=-])([rwxst]*)$/.exec(text)
  if (match === null) return undefined
  const who = match[1] === "" || match[1]!.includes("a") ? "ugo" : match[1]!
  const bits = [...match[3]!].reduce((sum, letter) => sum | ({ r: 4, w: 2, x: 1 }[letter] ?? 0), 0)
  let mask = 0
  for (const one of who) mask |= bits << { u: 6, g: 3, o: 0 }[one as "u" | "g" | "o"]
  const all = [...who].reduce((sum, one) => sum | (7 << { u: 6, g: 3, o: 0 }[one as "u" | "g" | "o"]), 0)
  return match[2] === "+" ? before | mask : match[2] === "-" ? before & ~mask : (before & ~all) | mask
}

function* chmod(args: ReadonlyArray<string>): Running<number> {
  // A mode such as -x is no option
  const [text = "", ...paths] = args.filter((one) => one !== "-R")
  let code = 0
  for (const path of paths) {
    const found = yield* status(path, true)
    if (!found.ok) {
      code = yield* complain(`chmod: ${path}: ${messageOf(found.errno)}`)
      continue
    }
    const mode = /^[0-7]+$/.test(text) ? parseInt(text, 8) : symbolicMode(found.value.mode, text)
    if (mode === undefined) return yield* complain(`chmod: invalid mode '${text}'`)
    const errno = yield* errnoOf({ _tag: "ChangeMode", path, mode })
    if (errno !== undefined) code = yield* complain(`chmod: ${path}: ${messageOf(errno)}`)
  }
  return code
}

function* idOf(file: string, text: string): Running<number | undefined> {
  if (/^\d+$/.test(text)) return Number(text)
  const names = yield* namesOf(file)
  return [...names].find(([, name]) => name === text)?.[0]
}

function* chown(args: ReadonlyArray<string>): Running<number> {
  const [owner = "", ...paths] = parseOptions(args).operands
  const [user = "", group] = owner.split(/[:.]/)
  let code = 0
  for (const path of paths) {
    const found = yield* status(path, false)
    if (!found.ok) {
      code = yield* complain(`chown: ${path}: ${messageOf(found.errno)}`)
      continue
    }
    const uid = user === "" ? found.value.uid : yield* idOf("/etc/passwd", user)
    const gid = group === undefined || group === "" ? found.value.gid : yield* idOf("/etc/group", group)
    if (uid === undefined || gid === undefined) return yield* complain(`chown: unknown user ${owner}`)
    const errno = yield* errnoOf({ _tag: "ChangeOwner", path, uid, gid })
    if (errno !== undefined) code = yield* complain(`chown: ${path}: ${messageOf(errno)}`)
  }
  return code
}

function* readlink(args: ReadonlyArray<string>): Running<number> {
  const found = yield* status(parseOptions(args).operands[0] ?? "", false)
  if (!found.ok || found.value.target === undefined) return 1
  yield* write(`${found.value.target}\n`)
  return 0
}

function* stat(args: ReadonlyArray<string>): Running<number> {
  const { flags, values, operands } = parseOptions(args, "c")
  const users = yield* namesOf("/etc/passwd")
  const groups = yield* namesOf("/etc/group")
  const kinds: { readonly [type: string]: string } = {
    directory: "directory", symlink: "symbolic link", block: "block special file", character: "character special file",
    fifo: "fifo", socket: "socket"
  }
  let code = 0
  for (const path of operands) {
    const found = yield* status(path, flags.has("L"))
    if (!found.ok) {
      code = yield* complain(`stat: can't stat '${path}': ${messageOf(found.errno)}`)
      continue
    }
    const one = found.value
    const fields: { readonly [letter: string]: string } = {
      a: (one.mode & 0o7777).toString(8), A: modeText(one), u: String(one.uid), U: users.get(one.uid) ?? "UNKNOWN",
      g: String(one.gid), G: groups.get(one.gid) ?? "UNKNOWN", s: String(one.size), n: path, h: String(one.links),
      F: kinds[one.type] ?? (one.size === 0 ? "regular empty file" : "regular file"),
      t: one.major.toString(16), T: one.minor.toString(16), Y: String(Math.floor(one.modified / 1e6))
    }
    yield* write(`${(values.get("c") ?? "%n %s %a %F").replace(/%([a-zA-Z])/g, (_, letter: string) => fields[letter] ?? "?")}\n`)
  }
  return code
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
  const errno = yield* errnoOf({ _tag: "MakeNode", path, type: kind, major: Number(major), minor: Number(minor) })
  return errno === undefined ? 0 : yield* complain(`mknod: ${path}: ${messageOf(errno)}`)
}

export const fileApplets: Applets = {
  ls, touch, mkdir, rm, rmdir, mv, cp, ln, chmod, chown, readlink, stat, mkfifo, mknod
}
