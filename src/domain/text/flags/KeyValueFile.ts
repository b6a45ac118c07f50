/** Files of `KEY=VALUE` lines: --env-file and --label-file (docker/cli, pkg/kvfile). */
import * as Result from "effect/Result"
import { refuse, textError, type TextError } from "../TextError.ts"

/** Go's bufio.MaxScanTokenSize: bytes of the longest line. */
const longestLine = 64 * 1024

/** What the file is for messages: `env file`, and its path. */
export interface KeyValueSource {
  readonly kind: "env file" | "label file"
  readonly path: string
}

const lineBytes = (contents: Uint8Array): ReadonlyArray<Uint8Array> => {
  const lines: Array<Uint8Array> = []
  for (let start = 0; start < contents.length;) {
    const feedIndex = contents.indexOf(10, start)
    const end = feedIndex < 0 ? contents.length : feedIndex
    lines.push(contents.subarray(start, contents[end - 1] === 13 && end > start ? end - 1 : end))
    start = end + 1
  }
  return lines
}

/** Parses one line: undefined for empty lines and comments; the value is undefined where there is no `=`. */
const parseLine = (
  line: string
): Result.Result<{ readonly key: string; readonly value: string | undefined } | undefined, string> => {
  const text = line.replace(/^\p{White_Space}+/u, "")
  if (text === "" || text.startsWith("#")) return Result.succeed(undefined)
  const equals = text.indexOf("=")
  const key = equals < 0 ? text : text.slice(0, equals)
  if (key === "") return Result.fail(`no variable name on line '${text}'`)
  if (/[ \t]/.test(key)) return Result.fail(`variable '${key}' contains whitespaces`)
  if (text.includes("\0")) return Result.fail(`variable '${key.replaceAll("\0", "")}' contains a NUL byte`)
  return Result.succeed({ key, value: equals < 0 ? undefined : text.slice(equals + 1) })
}

/**
 * The `KEY=VALUE` lines in order. White space before a line is dropped, after it kept; quotes are kept. A line without
 * `=` takes its value from `lookup` and is left out when that knows none.
 */
export const parseKeyValueFile = (
  contents: Uint8Array,
  source: KeyValueSource,
  lookup: (key: string) => string | undefined
): Result.Result<ReadonlyArray<string>, TextError> => {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
  const fail = (cause: string) =>
    textError(
      `read ${source.kind}`, source.path, `invalid ${source.kind} (${source.path}): ${cause}`,
      "write lines KEY=VALUE in UTF-8, or # comments"
    )
  const lines: Array<string> = []
  for (const [index, bytes] of lineBytes(contents).entries()) {
    if (bytes.length >= longestLine) {
      return Result.fail(fail(`line ${index + 1} is longer than ${longestLine - 1} bytes`))
    }
    const decoded = Result.try(() => decoder.decode(bytes))
    if (Result.isFailure(decoded)) {
      return Result.fail(fail(`invalid utf8 bytes at line ${index + 1}: [${bytes.subarray(0, 100).join(" ")}]`))
    }
    const line = parseLine(index === 0 ? decoded.success.replace(/^\uFEFF/, "") : decoded.success)
    if (Result.isFailure(line)) return Result.fail(fail(line.failure))
    if (line.success === undefined) continue
    const value = line.success.value ?? lookup(line.success.key)
    if (value !== undefined) lines.push(`${line.success.key}=${value}`)
  }
  return Result.succeed(lines)
}

type Environment = { readonly [name: string]: string | undefined }

/** Own names only: `constructor` is no variable. */
const lookUp = (environment: Environment, name: string): string | undefined =>
  Object.hasOwn(environment, name) ? environment[name] : undefined

/** `contents` of an --env-file; names without `=` come from `environment` or not at all. */
export const parseEnvironmentFile = (
  contents: Uint8Array, path: string, environment: Environment
): Result.Result<ReadonlyArray<string>, TextError> =>
  parseKeyValueFile(contents, { kind: "env file", path }, (key) => lookUp(environment, key))

/** `contents` of a --label-file; names without `=` are left out, as docker does. */
export const parseLabelFile = (contents: Uint8Array, path: string): Result.Result<ReadonlyArray<string>, TextError> =>
  parseKeyValueFile(contents, { kind: "label file", path }, () => undefined)

/**
 * `--env NAME=VALUE`, or `NAME` to take it from `environment`. A name that is not there is returned bare: it removes
 * the image's variable.
 */
export const parseEnvironmentLine = (
  text: string, environment: Environment
): Result.Result<string, TextError> => {
  const equals = text.indexOf("=")
  if (equals === 0 || text === "") {
    return refuse(
      "parse environment variable", text, `invalid environment variable: ${text}`, "write NAME=VALUE or NAME"
    )
  }
  if (equals > 0) return Result.succeed(text)
  const value = lookUp(environment, text)
  return Result.succeed(value === undefined ? text : `${text}=${value}`)
}

/** `--label KEY[=VALUE]`; the value defaults to "". */
export const parseLabel = (
  text: string
): Result.Result<{ readonly key: string; readonly value: string }, TextError> => {
  const equals = text.indexOf("=")
  const key = equals < 0 ? text : text.slice(0, equals)
  const name = key.replace(/^[ \t]+/, "")
  if (name === "") return refuse("parse label", text, `invalid label '${text}': empty name`, "write KEY=VALUE")
  if (/[ \t]/.test(name)) {
    return refuse("parse label", text, `label '${name}' contains whitespaces`, "write KEY=VALUE without spaces in KEY")
  }
  return Result.succeed({ key, value: equals < 0 ? "" : text.slice(equals + 1) })
}
