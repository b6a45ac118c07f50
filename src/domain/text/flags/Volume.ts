/** `--volume [SOURCE:]TARGET[:OPTIONS]` (docker/cli, internal/volumespec; moby, volume/mounts/linux_parser.go). */
import * as Result from "effect/Result"
import { cleanPath, isAbsolute } from "../PosixPath.ts"
import { refuse, type TextError } from "../TextError.ts"
import { checkTarget, checkVolumeName, type MountRequest, propagations } from "./MountRequest.ts"

const operation = "parse volume"
const cure = "write [SOURCE:]TARGET[:OPTIONS], such as /host/path:/path:ro or name:/path"

/**
 * Options by group; of each group at most one may be given. `z` and `Z` relabel for SELinux, the
 * last three are Docker Desktop's.
 */
const optionGroups: ReadonlyArray<ReadonlyArray<string>> = [
  ["rw", "ro"], ["z", "Z"], propagations, ["nocopy"], ["consistent", "cached", "delegated"]
]

const areOptions = (options: ReadonlyArray<string>): boolean => {
  const groups = options.map((option) => optionGroups.findIndex((group) => group.includes(option)))
  return !groups.includes(-1) && new Set(groups).size === groups.length
}

/** The failure that docker's client finds, before any meaning is given to the parts. */
const malformed = (text: string, parts: ReadonlyArray<string>): string | undefined => {
  if (text === "") return "invalid empty volume spec"
  if (parts.length > 3) return `invalid spec: ${text}: too many colons`
  if (parts.includes("")) return `invalid spec: ${text}: empty section between colons`
  if (parts.length === 2 && areOptions((parts[1] ?? "").split(","))) return `invalid volume specification: '${text}'`
  if (parts.length === 3 && !areOptions((parts[2] ?? "").split(","))) return `invalid mode: ${parts[2]}`
  return undefined
}

/**
 * `TARGET` alone is an anonymous volume. A source that begins with `/` or `.` is a host path (`.` counts from
 * `workingDirectory`), anything else the name of a volume. Relabelling is accepted and means nothing without SELinux.
 */
export const parseVolume = (text: string, workingDirectory: string): Result.Result<MountRequest, TextError> => {
  const parts = text.split(":", 5)
  const failed = malformed(text, parts)
  if (failed !== undefined) return refuse(operation, text, failed, cure)
  const [source, destination = ""] = parts.length === 1 ? [undefined, text] : parts
  const options = (parts[2] ?? "rw").split(",")
  const propagation = options.find((option) => propagations.includes(option)) ?? ""
  const readonly = options.includes("ro")
  const copy = !options.includes("nocopy")
  const isPath = source !== undefined && (isAbsolute(source) || source.startsWith("."))
  const context = `invalid volume specification: '${text}': `
  const config = `${context}invalid mount config for type "${isPath ? "bind" : "volume"}": `
  const target = checkTarget(operation, text, destination, config)
  if (Result.isFailure(target)) return Result.fail(target.failure)
  if (isPath) {
    if (!copy) return refuse(operation, text, `${config}field VolumeOptions must not be specified`, "leave out nocopy")
    return Result.succeed({
      _tag: "Bind", source: cleanPath(isAbsolute(source) ? source : `${workingDirectory}/${source}`),
      target: target.success, readonly, recursive: "enabled", propagation, createSource: true
    })
  }
  if (propagation !== "") {
    return refuse(operation, text, `${config}field BindOptions must not be specified`, `leave out ${propagation}`)
  }
  const name = source === undefined ? Result.succeed("") : checkVolumeName(operation, text, source)
  return Result.map(name, (checked) => ({
    _tag: "Volume", name: checked, target: target.success, readonly, copy,
    driver: "", driverOptions: {}, labels: {}, subpath: ""
  }))
}
