/** All that the meaning of a `run` command line depends on besides the line itself: so that it is a pure function. */
import * as Result from "effect/Result"
import { parseSecurityOption } from "../../../domain/text/flags/SecurityOption.ts"
import type { Values } from "../../argv/Flag.ts"
import type { containerFlags } from "./containerFlags.ts"

export interface RunInput {
  readonly environment: { readonly [name: string]: string | undefined }
  readonly workingDirectory: string
  /** Contents of the files of `filesToRead`, by the path as it was given. */
  readonly files: ReadonlyMap<string, Uint8Array>
  /** In Go's words: `linux`, `amd64`. */
  readonly host: { readonly os: string; readonly architecture: string }
}

export type ContainerValues = Values<typeof containerFlags>

export interface FileToRead {
  readonly path: string
  readonly kind: "env file" | "label file" | "seccomp profile"
}

/** The file of `--security-opt seccomp=FILE`. */
const profilePath = (option: string): string | undefined => {
  const parsed = parseSecurityOption(option)
  if (Result.isFailure(parsed) || parsed.success._tag !== "Seccomp") return undefined
  const { profile } = parsed.success
  return profile === "unconfined" || profile === "builtin" ? undefined : profile
}

/** What has to be read before the command line can be given a meaning. */
export const filesToRead = (
  values: Pick<ContainerValues, "env-file" | "label-file" | "security-opt">
): ReadonlyArray<FileToRead> => [
  ...values["env-file"].map((path) => ({ path, kind: "env file" } as const)),
  ...values["label-file"].map((path) => ({ path, kind: "label file" } as const)),
  ...values["security-opt"].flatMap((option) => {
    const path = profilePath(option)
    return path === undefined ? [] : [{ path, kind: "seccomp profile" } as const]
  })
]
