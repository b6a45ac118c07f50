/** What --mount, --volume and --tmpfs ask for, and the rules that hold for all three. */
import * as Result from "effect/Result"
import type { Mount } from "../../container/ContainerConfig.ts"
import { cleanPath, isAbsolute } from "../PosixPath.ts"
import { refuse, type TextError } from "../TextError.ts"

/** A volume: named, or anonymous when `name` is "". */
export interface VolumeMount {
  readonly _tag: "Volume"
  readonly name: string
  readonly target: string
  readonly readonly: boolean
  /** Whether an empty volume gets what the image has at the target. */
  readonly copy: boolean
  /** "" for the default driver. */
  readonly driver: string
  readonly driverOptions: { readonly [key: string]: string }
  readonly labels: { readonly [key: string]: string }
  /** Path inside the volume, "" for its root. */
  readonly subpath: string
}

export type MountRequest = Mount | VolumeMount

export const propagations = ["private", "rprivate", "shared", "rshared", "slave", "rslave"]

/** moby, volume/mounts/linux_parser.go. The target, cleaned. */
export const checkTarget = (
  operation: string, text: string, target: string, context: string
): Result.Result<string, TextError> => {
  const cure = "name a path in the container, such as /data"
  if (target === "") return refuse(operation, text, `${context}field Target must not be empty`, cure)
  const clean = cleanPath(target)
  if (clean === "/") return refuse(operation, text, `${context}invalid specification: destination can't be '/'`, cure)
  if (!isAbsolute(target)) {
    return refuse(operation, text, `${context}invalid mount path: '${target}' mount path must be absolute`, cure)
  }
  return Result.succeed(clean)
}

/** Docker's rule for names of volumes of the local driver, and of containers. */
export const volumeNamePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/

export const checkVolumeName = (operation: string, text: string, name: string): Result.Result<string, TextError> =>
  volumeNamePattern.test(name) ? Result.succeed(name) : refuse(
    operation, text,
    `"${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed`,
    "use an absolute path (or one that begins with ./) to mount a host directory"
  )

/** A host path that begins with `.` counts from `workingDirectory`, as docker's client has it. */
export const resolveSource = (source: string, workingDirectory: string): string =>
  /^\.{1,2}(\/|$)/.test(source) ? cleanPath(`${workingDirectory}/${source}`) : source
