/** `--mount type=…,source=…,target=…` (docker/cli, opts/mount.go, and moby's checks of what it sends). */
import * as Result from "effect/Result"
import { parseByteSize } from "../ByteSize.ts"
import { parseCsvRecord } from "../CsvRecord.ts"
import { cleanPath, isAbsolute } from "../PosixPath.ts"
import { refuse, type TextError } from "../TextError.ts"
import { checkTarget, checkVolumeName, type MountRequest, propagations, resolveSource } from "./MountRequest.ts"
import { readBoolean } from "./readBoolean.ts"

const operation = "parse mount"
const example = "write type=bind,source=/host/path,target=/path or type=tmpfs,target=/path"

/** Everything said, before it is known whether it fits the type. */
interface Draft {
  type: string
  source: string
  target: string
  readonly: boolean
  propagation: string | undefined
  recursive: "enabled" | "disabled" | "writable" | "readonly" | undefined
  size: number
  mode: number
  /** Options seen that belong to one type only. */
  readonly families: Set<string>
  noCopy: boolean
  driver: string
  subpath: string
  readonly labels: Record<string, string>
  readonly driverOptions: Record<string, string>
}

const recursiveModes = ["enabled", "disabled", "writable", "readonly"] as const

const putPair = (record: Record<string, string>, pair: string): void => {
  const equals = pair.indexOf("=")
  const key = equals < 0 ? pair : pair.slice(0, equals)
  if (key !== "") Object.defineProperty(record, key, {
    value: equals < 0 ? "" : pair.slice(equals + 1), enumerable: true, configurable: true, writable: true
  })
}

/** Puts one `key=value` into the draft. The failure is docker's wording. */
const applyField = (draft: Draft, key: string, value: string, field: string): string | undefined => {
  const invalid = `invalid value for ${key}: ${value}`
  const flag = (put: (on: boolean) => void): string | undefined => {
    const on = readBoolean(value)
    if (on === undefined) return invalid
    put(on)
    return undefined
  }
  const family = /^(bind|tmpfs|volume)-/.exec(key)?.[1]
  switch (key) {
    case "type": draft.type = value.toLowerCase(); return undefined
    case "source": case "src": draft.source = value; return undefined
    case "target": case "dst": case "destination": draft.target = value; return undefined
    case "readonly": case "ro": return flag((on) => { draft.readonly = on })
    // Only ever meant something on Docker Desktop
    case "consistency": return undefined
    case "bind-propagation": draft.propagation = value.toLowerCase(); break
    case "bind-nonrecursive": {
      const failed = flag((on) => { draft.recursive = on ? "disabled" : draft.recursive })
      if (failed !== undefined) return failed
      break
    }
    case "bind-recursive": {
      const mode = recursiveModes.find((candidate) => candidate === value)
      if (mode === undefined) return `${invalid} (must be "enabled", "disabled", "writable", or "readonly")`
      draft.recursive = mode
      // docker takes the default for any type
      if (mode === "enabled") return undefined
      break
    }
    case "tmpfs-size": {
      const size = parseByteSize(value)
      if (Result.isFailure(size)) return invalid
      draft.size = size.success
      break
    }
    case "tmpfs-mode":
      if (!/^[0-7]{1,7}$/.test(value)) return invalid
      draft.mode = Number.parseInt(value, 8)
      break
    case "volume-nocopy": {
      const failed = flag((on) => { draft.noCopy = on })
      if (failed !== undefined) return failed
      break
    }
    case "volume-driver": draft.driver = value; break
    case "volume-subpath": draft.subpath = value; break
    case "volume-label": putPair(draft.labels, value); break
    case "volume-opt": putPair(draft.driverOptions, value); break
    default: return `unexpected key '${key}' in '${field}'`
  }
  if (family !== undefined) draft.families.add(family)
  return undefined
}

/** Keys that may stand alone, without `=value`. */
const bareFlags = ["readonly", "ro", "volume-nocopy", "bind-nonrecursive"]

const draftOf = (text: string): Result.Result<Draft, TextError> => {
  const fields = parseCsvRecord(text)
  if (Result.isFailure(fields)) {
    return refuse(operation, text, fields.failure, "put double quotes around a whole field that contains a comma")
  }
  const draft: Draft = {
    type: "volume", source: "", target: "", readonly: false, propagation: undefined, recursive: undefined,
    size: 0, mode: 0, families: new Set(), noCopy: false, driver: "", subpath: "", labels: {}, driverOptions: {}
  }
  for (const field of fields.success) {
    const equals = field.indexOf("=")
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase()
    const bare = equals < 0
    if (bare && !bareFlags.includes(key)) {
      return refuse(operation, text, `invalid field '${field}' must be a key=value pair`, example)
    }
    const failed = applyField(draft, key, bare ? "true" : field.slice(equals + 1), field)
    if (failed !== undefined) return refuse(operation, text, failed, example)
  }
  return Result.succeed(draft)
}

const contextOf = (draft: Draft): string => `invalid mount config for type "${draft.type}": `

/** What of the draft contradicts itself, in docker's words. */
const contradiction = (draft: Draft): string | undefined => {
  if (draft.type === "") return "type is required"
  if (draft.target === "") return "target is required"
  const stranger = [...draft.families].find((family) => family !== draft.type)
  if (stranger !== undefined) return `cannot mix '${stranger}-*' options with mount type '${draft.type}'`
  const context = contextOf(draft)
  if (draft.type === "bind" && (draft.recursive === "writable" || draft.recursive === "readonly")) {
    const option = `option 'bind-recursive=${draft.recursive}' requires `
    if (!draft.readonly) return `${option}'readonly' to be specified in conjunction`
    if (draft.recursive === "readonly" && draft.propagation !== "rprivate") {
      return `${option}'bind-propagation=rprivate' to be specified in conjunction`
    }
  }
  if (draft.propagation !== undefined && !propagations.includes(draft.propagation)) {
    return `${context}invalid propagation mode: ${draft.propagation}`
  }
  if (draft.type === "bind" && draft.source === "") return `${context}field Source must not be empty`
  if (draft.type === "tmpfs" && draft.source !== "") return `${context}field Source must not be specified`
  if (draft.type === "volume" && draft.source === "" && draft.readonly) {
    return `${context}must not set ReadOnly mode when using anonymous volumes`
  }
  return undefined
}

/** The size with the largest unit that divides it, as moby hands it to the kernel. */
const tmpfsSize = (bytes: number): string => {
  const unit = ([["g", 2 ** 30], ["m", 2 ** 20], ["k", 2 ** 10]] as const).find(([, factor]) => bytes % factor === 0)
  return unit === undefined ? `${bytes}` : `${bytes / unit[1]}${unit[0]}`
}

const requestOf = (draft: Draft, text: string, target: string): Result.Result<MountRequest, TextError> => {
  switch (draft.type) {
    case "bind":
      if (!isAbsolute(draft.source)) {
        return refuse(
          operation, text,
          `${contextOf(draft)}invalid mount path: '${draft.source}' mount path must be absolute`,
          "begin the source with / or ./"
        )
      }
      return Result.succeed({
        _tag: "Bind", source: cleanPath(draft.source), target, readonly: draft.readonly,
        recursive: draft.recursive ?? "enabled", propagation: draft.propagation ?? "", createSource: false
      })
    case "tmpfs":
      return Result.succeed({
        _tag: "Tmpfs", target, options: [
          ...(draft.readonly ? ["ro"] : []),
          ...(draft.mode === 0 ? [] : [`mode=${draft.mode.toString(8)}`]),
          ...(draft.size === 0 ? [] : [`size=${tmpfsSize(draft.size)}`])
        ]
      })
    case "volume": {
      const { driver, driverOptions, labels, noCopy, readonly, source, subpath } = draft
      const name = source === "" ? Result.succeed("") : checkVolumeName(operation, text, source)
      return Result.map(name, (checked) => ({
        _tag: "Volume", name: checked, target, readonly, copy: !noCopy, driver, driverOptions, labels, subpath
      }))
    }
    default:
      return refuse(
        operation, text, `${contextOf(draft)}mount type unknown`, "use type bind, tmpfs or volume"
      )
  }
}

/** A source that begins with `.` counts from `workingDirectory`. Of a key said twice the last counts. */
export const parseMount = (text: string, workingDirectory: string): Result.Result<MountRequest, TextError> =>
  Result.flatMap(draftOf(text), (draft) => {
    draft.source = draft.type === "bind" ? resolveSource(draft.source, workingDirectory) : draft.source
    const failed = contradiction(draft)
    if (failed !== undefined) return refuse(operation, text, failed, example)
    return Result.flatMap(
      checkTarget(operation, text, draft.target, contextOf(draft)), (target) => requestOf(draft, text, target)
    )
  })
