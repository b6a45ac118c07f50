/** Applets that show what files there are, and what they are. */
import type { Status } from "../Behaviour.ts"
import { list, messageOf, readFile, status, write } from "../calls.ts"
import type { Running } from "../makeBehaviour.ts"
import { type Applets, complain, parseOptions } from "./Applet.ts"

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
export function* namesOf(path: string): Running<ReadonlyMap<number, string>> {
  const result = yield* readFile(path)
  if (!result.ok) return new Map()
  return new Map(
    new TextDecoder().decode(result.value).split("\n").flatMap((line) => {
      const [name, , id] = line.split(":")
      return name === undefined || id === undefined ? [] : [[Number(id), name] as const]
    })
  )
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

const dateText = (micros: number): string => {
  const date = new Date(micros / 1000)
  const two = (number: number) => String(number).padStart(2, "0")
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`
  return `${months[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)} ${time}`
}

interface Listed {
  readonly name: string
  readonly status: Status
}

function* printListed(
  entries: ReadonlyArray<Listed>,
  long: boolean,
  numeric: boolean
): Running<void> {
  if (!long) return yield* write(entries.map(({ name }) => `${name}\n`).join(""))
  const users = numeric ? new Map<number, string>() : yield* namesOf("/etc/passwd")
  const groups = numeric ? new Map<number, string>() : yield* namesOf("/etc/group")
  const lines = entries.map(({ name, status: one }) => {
    const size = one.type === "block" || one.type === "character"
      ? `${one.major}, ${String(one.minor).padStart(3)}`
      : String(one.size)
    const owner = (users.get(one.uid) ?? String(one.uid)).padEnd(8)
    const group = (groups.get(one.gid) ?? String(one.gid)).padEnd(8)
    const links = String(one.links).padStart(4)
    const target = one.target === undefined ? [] : ["->", one.target]
    const fields = [
      modeText(one),
      links,
      owner,
      group,
      size.padStart(9),
      dateText(one.modified),
      name
    ]
    return `${[...fields, ...target].join(" ")}\n`
  })
  yield* write(lines.join(""))
}

function* listDirectory(path: string, all: boolean): Running<ReadonlyArray<Listed> | string> {
  const names = yield* list(path)
  if (!names.ok) return names.errno
  const listed: Array<Listed> = []
  for (
    const name of all
      ? [".", "..", ...names.value]
      : names.value.filter((one) => !one.startsWith("."))
  ) {
    const result = yield* status(`${path}/${name}`, false)
    if (result.ok) listed.push({ name, status: result.value })
  }
  return listed
}

function* ls(args: ReadonlyArray<string>): Running<number> {
  const { flags, operands } = parseOptions(args)
  const [long, numeric, all] = [
    flags.has("l") || flags.has("n"),
    flags.has("n"),
    flags.has("a") || flags.has("A")
  ]
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
  files.sort((one, other) => one.name < other.name ? -1 : 1)
  yield* printListed(files, long, numeric)
  for (const [index, path] of directories.sort().entries()) {
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
    directory: "directory", symlink: "symbolic link", block: "block special file",
    character: "character special file", fifo: "fifo", socket: "socket"
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
      a: (one.mode & 0o7777).toString(8),
      A: modeText(one),
      u: String(one.uid),
      U: users.get(one.uid) ?? "UNKNOWN",
      g: String(one.gid),
      G: groups.get(one.gid) ?? "UNKNOWN",
      s: String(one.size),
      n: path,
      h: String(one.links),
      F: kinds[one.type] ?? (one.size === 0 ? "regular empty file" : "regular file"),
      t: one.major.toString(16),
      T: one.minor.toString(16),
      Y: String(Math.floor(one.modified / 1e6))
    }
    const format = values.get("c") ?? "%n %s %a %F"
    yield* write(
      format.replace(/%([a-zA-Z])/g, (_, letter: string) => fields[letter] ?? "?") + "\n"
    )
  }
  return code
}

export const listApplets: Applets = { ls, readlink, stat }
