/** Applets that write and pass on text. */
import { messageOf, perform, read, readFile, readInput, write } from "../calls.ts"
import type { Running } from "../makeBehaviour.ts"
import { type Applets, complain, parseOptions } from "./Applet.ts"
import { echoed, formatted } from "./printed.ts"

const noInput = new Uint8Array(0)

/** What an applet says of a file that it can't read; "" where it passes over it. */
type Complaint = (path: string, errno: string) => string

const complaintOf = (name: string): Complaint => (path, errno) =>
  errno === "EISDIR"
    ? `${name}: read error: Is a directory\n`
    : `${name}: can't open '${path}': ${messageOf(errno)}\n`

/** Everything from files, or the standard input for none and for `-`. */
function* readAll(
  name: string,
  paths: ReadonlyArray<string>,
  complaint: Complaint = complaintOf(name)
): Running<{ readonly data: Uint8Array; readonly code: number }> {
  const pieces: Array<Uint8Array> = []
  let code = 0
  for (const path of paths.length === 0 ? ["-"] : paths) {
    if (path === "-") {
      let piece = yield* readInput()
      for (; piece.ok && piece.value.length > 0; piece = yield* readInput()) pieces.push(piece.value)
      if (piece.ok) continue
      const said = complaint("standard input", piece.errno)
      if (said !== "") code = 1
      yield* write(said, 2)
      continue
    }
    const result = yield* readFile(path)
    if (result.ok) pieces.push(result.value)
    else {
      const said = complaint(path, result.errno)
      if (said !== "") code = 1
      yield* write(said, 2)
    }
  }
  return { data: pieces.length === 0 ? noInput : new Uint8Array(Buffer.concat(pieces)), code }
}

/** Writes on what comes, without waiting for the end of it. */
function* cat(args: ReadonlyArray<string>): Running<number> {
  const { operands } = parseOptions(args)
  if (operands.length > 0 && !operands.includes("-")) {
    const { data, code } = yield* readAll("cat", operands)
    yield* write(data)
    return code
  }
  for (;;) {
    const piece = yield* readInput()
    if (!piece.ok) return yield* complain(`cat: read error: ${messageOf(piece.errno)}`)
    if (piece.value.length === 0) return 0
    const written = yield* perform({ _tag: "Write", descriptor: 1, data: piece.value })
    if (!written.ok) return 1
  }
}

const linesOf = (data: Uint8Array): ReadonlyArray<string> => {
  const text = new TextDecoder().decode(data)
  return text === "" ? [] : text.replace(/\n$/, "").split("\n")
}

/** What comes until there is enough of it, by lines or bytes. */
function* readEnough(
  paths: ReadonlyArray<string>,
  enough: (data: Uint8Array) => boolean
): Running<Uint8Array | undefined> {
  if (paths.length > 0) return undefined
  let data = noInput
  while (!enough(data)) {
    const piece = yield* read()
    if (piece.length === 0) break
    data = new Uint8Array(Buffer.concat([data, piece]))
  }
  return data
}

const lineCount = (data: Uint8Array): number =>
  data.reduce((count, byte) => byte === 10 ? count + 1 : count, 0)

/** Of nothing nothing is read; a failed read(2) is EIO to head. */
const headComplaint = (count: number): Complaint => (path, errno) =>
  errno === "EISDIR"
    ? count === 0 ? "" : `head: ${path}: ${messageOf("EIO")}\n`
    : `head: ${path}: ${messageOf(errno)}\n`

function* anyReadable(paths: ReadonlyArray<string>): Running<boolean> {
  for (const path of paths) {
    const result = yield* readFile(path)
    if (result.ok || result.errno === "EISDIR") return true
  }
  return false
}

function* headOrTail(name: "head" | "tail", args: ReadonlyArray<string>): Running<number> {
  const rewritten = args.map((one) => /^-\d+$/.test(one) ? `-n${one.slice(1)}` : one)
  const { values, operands } = parseOptions(rewritten, "nc")
  const bytes = values.get("c")
  const count = Number(bytes ?? values.get("n") ?? 10)
  const input = name === "tail" ?
    undefined :
    yield* readEnough(
      operands,
      (data) => bytes === undefined ? lineCount(data) >= count : data.length >= count
    )
  const { data, code } = input === undefined
    ? yield* readAll(name, operands, name === "head" ? headComplaint(count) : undefined)
    : { data: input, code: 0 }
  // A tail with nothing to read says so
  if (name === "tail" && code !== 0 && data === noInput && !(yield* anyReadable(operands))) {
    return yield* complain("tail: no files")
  }
  if (bytes !== undefined) {
    yield* write(
      name === "head" ? data.subarray(0, count) : data.subarray(Math.max(0, data.length - count))
    )
  } else {
    const lines = linesOf(data)
    const kept = name === "head"
      ? lines.slice(0, count)
      : lines.slice(Math.max(0, lines.length - count))
    yield* write(kept.map((line) => `${line}\n`).join(""))
  }
  return code
}

function* grep(args: ReadonlyArray<string>): Running<number> {
  const { flags, values, operands } = parseOptions(args, "e")
  const [pattern = "", ...paths] = values.has("e") ? [values.get("e")!, ...operands] : operands
  const source = flags.has("F") ? pattern.replace(/[.*+?^${}()|[\]\\]/g, "\\$&") : pattern
  const matcher = new RegExp(flags.has("x") ? `^(?:${source})$` : source, flags.has("i") ? "i" : "")
  // A directory has no lines
  const { data, code } = yield* readAll("grep", paths, (path, errno) =>
    errno === "EISDIR" ? "" : `grep: ${path}: ${messageOf(errno)}\n`)
  const found = linesOf(data).filter((line) => matcher.test(line) !== flags.has("v"))
  if (code !== 0) return 2
  if (flags.has("c")) yield* write(`${found.length}\n`)
  else if (!flags.has("q")) yield* write(found.map((line) => `${line}\n`).join(""))
  return found.length > 0 ? 0 : 1
}

function* wc(args: ReadonlyArray<string>): Running<number> {
  const { flags, operands } = parseOptions(args)
  const { data, code } = yield* readAll("wc", operands, (path, errno) =>
    `wc: ${path}: ${messageOf(errno)}\n`)
  const text = new TextDecoder().decode(data)
  const counts = {
    l: text.split("\n").length - 1,
    w: text.split(/\s+/).filter((word) => word !== "").length,
    c: data.length
  }
  const wanted = (["l", "w", "c"] as const).filter((key) => flags.size === 0 || flags.has(key))
  const shown = wanted.map((key) =>
    wanted.length === 1 ? String(counts[key]) : String(counts[key]).padStart(9)
  )
  yield* write(`${[shown.join(" "), ...operands].join(" ")}\n`)
  return code
}

function* seq(args: ReadonlyArray<string>): Running<number> {
  const numbers = args.map(Number)
  const [first, step, last] = numbers.length === 1
    ? [1, 1, numbers[0]!]
    : numbers.length === 2
    ? [numbers[0]!, 1, numbers[1]!]
    : [numbers[0]!, numbers[1]!, numbers[2]!]
  let out = ""
  for (let at = first; step > 0 ? at <= last : at >= last; at += step) out += `${at}\n`
  yield* write(out)
  return 0
}

function* tee(args: ReadonlyArray<string>): Running<number> {
  const { flags, operands } = parseOptions(args)
  let code = 0
  let append = flags.has("a")
  for (let piece = yield* read();; piece = yield* read()) {
    for (const path of operands) {
      const result = yield* perform({ _tag: "WriteFile", path, data: piece, append })
      if (!result.ok) code = yield* complain(`tee: ${path}: ${messageOf(result.errno)}`)
    }
    append = true
    yield* write(piece)
    if (piece.length === 0) return code
  }
}

/** Writes until nobody reads any more. */
function* yes(args: ReadonlyArray<string>): Running<number> {
  const line = `${args.length === 0 ? "y" : args.join(" ")}\n`
  for (;;) {
    const result = yield* perform({ _tag: "Write", descriptor: 1, data: line.repeat(64) })
    if (!result.ok) return 1
  }
}

export const textApplets: Applets = {
  echo: function*(args) {
    yield* write(echoed(args))
    return 0
  },
  printf: function*(args) {
    yield* write(formatted(args))
    return 0
  },
  cat,
  grep,
  head: (args) => headOrTail("head", args),
  tail: (args) => headOrTail("tail", args),
  wc,
  seq,
  tee,
  yes
}
