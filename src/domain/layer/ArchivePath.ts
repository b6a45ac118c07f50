/**
 * The rules by which `cp` decides what goes where: those of `docker cp` (its reference,
 * "Description"), where a final `/` or `/.` of a path has a meaning that the file system does not
 * know. All of it is text and facts about two files that the caller looked up.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { TarEntry } from "./TarEntry.ts"

export class CopyPathError extends Schema.TaggedError<CopyPathError>()("CopyPathError", {
  path: Schema.String,
  reason: Schema.String,
  /** What a user can do about it. */
  hint: Schema.String
}) {
  override get message(): string {
    return `cp: ${JSON.stringify(this.path)}: ${this.reason} (${this.hint})`
  }
}

const refuse = (path: string, reason: string, hint: string): Result.Result<never, CopyPathError> =>
  Result.fail(new CopyPathError({ path, reason, hint }))

/** One side of a copy on the host: a path, or a tar archive on stdin or stdout (`-`). */
export type LocalOperand =
  { readonly _tag: "Stream" } | { readonly _tag: "Local"; readonly path: string }
export interface ContainerOperand {
  readonly _tag: "Container"
  readonly container: string
  readonly path: string
}

export type Copy =
  | {
      readonly _tag: "FromContainer"
      readonly source: ContainerOperand
      readonly destination: LocalOperand
    }
  | {
      readonly _tag: "ToContainer"
      readonly source: LocalOperand
      readonly destination: ContainerOperand
    }

/**
 * `CONTAINER:PATH`, `-`, or else a path of the host. A path of the host that contains a colon
 * begins with `/` or `.` to be taken for one.
 */
export const parseOperand = (
  text: string
): Result.Result<LocalOperand | ContainerOperand, CopyPathError> => {
  if (text === "-") return Result.succeed({ _tag: "Stream" })
  const colon = text.indexOf(":")
  if (colon < 0 || text.startsWith("/") || text.startsWith(".")) {
    return Result.succeed({ _tag: "Local", path: text })
  }
  const path = text.slice(colon + 1)
  if (colon === 0) {
    return refuse(
      text,
      "no container before the colon",
      "write CONTAINER:PATH, or ./:NAME for a file"
    )
  }
  return path === ""
    ? refuse(text, "no path after the colon", "write CONTAINER:PATH")
    : Result.succeed({ _tag: "Container", container: text.slice(0, colon), path })
}

/** The two operands of `cp`, exactly one of which is in a container. */
export const parseCopy = (
  source: string,
  destination: string
): Result.Result<Copy, CopyPathError> => {
  if (source === "") return refuse(source, "source can not be empty", "name a file or directory")
  if (destination === "") {
    return refuse(destination, "destination can not be empty", "name a file or directory")
  }
  const from = parseOperand(source)
  if (Result.isFailure(from)) return Result.fail(from.failure)
  const to = parseOperand(destination)
  if (Result.isFailure(to)) return Result.fail(to.failure)
  if (from.success._tag === "Container") {
    return to.success._tag === "Container"
      ? refuse(
          destination,
          "copying between containers is not supported",
          "copy to the host and from there"
        )
      : Result.succeed({ _tag: "FromContainer", source: from.success, destination: to.success })
  }
  return to.success._tag === "Container"
    ? Result.succeed({ _tag: "ToContainer", source: from.success, destination: to.success })
    : refuse(
        source,
        "must specify at least one container source",
        "write one of the two as CONTAINER:PATH"
      )
}

/**
 * The path from the root, without `.`, `..` and double slashes, but with the final `/` or `/.` it
 * had. `base`, absolute, is the working directory on the host and "/" in a container.
 */
export const absolutePath = (base: string, path: string): string => {
  const components: Array<string> = []
  for (const name of (path.startsWith("/") ? path : `${base}/${path}`).split("/")) {
    if (name === "..") components.pop()
    else if (name !== "" && name !== ".") components.push(name)
  }
  const root = components.length === 0
  const end = meansContents(path) ? "/." : path.endsWith("/") ? "/" : ""
  return `/${components.join("/")}${root ? end.slice(1) : end}`
}

/** Whether the path ends with the component `.`: the contents of the directory, not itself. */
export const meansContents = (path: string): boolean => path === "." || path.endsWith("/.")

/** Whether only a directory can be meant: then a symlink at the end of the path is followed. */
export const meansDirectory = (path: string): boolean => path.endsWith("/") || meansContents(path)

/**
 * The directory that holds what an absolute path names, and its name there: `.` for the root and
 * after `/.`.
 */
export const splitPath = (path: string): { readonly parent: string; readonly name: string } => {
  const whole = absolutePath("/", path)
  if (whole === "/" || meansContents(whole)) {
    return { parent: whole.length <= 2 ? "/" : whole.slice(0, -2), name: "." }
  }
  const plain = whole.endsWith("/") ? whole.slice(0, -1) : whole
  const slash = plain.lastIndexOf("/")
  return { parent: slash === 0 ? "/" : plain.slice(0, slash), name: plain.slice(slash + 1) }
}

/**
 * Where a symlink at `path` leads: `target` counts from the directory of the link; final `/` and
 * `/.` stay.
 */
export const followSymlink = (path: string, target: string): string => {
  const plain = meansContents(path) ? path.slice(0, -2) : path
  const end = meansContents(path) ? "/." : path.endsWith("/") ? "/" : ""
  const followed = absolutePath(splitPath(plain).parent, target)
  return meansDirectory(followed) ? followed : followed + end
}

export interface CopySource {
  /** Absolute, with the final `/` or `/.` that the user wrote. */
  readonly path: string
  /** What is there, symlinks followed as far as asked for. */
  readonly isDirectory: boolean
}

export interface CopyDestination {
  /**
   * Absolute, with the final `/` or `/.` that the user wrote; when it was a symlink, where that
   * leads.
   */
  readonly path: string
  /** What is there: `missing` when only its parent exists, `orphan` when that does not either. */
  readonly kind: "directory" | "file" | "special" | "missing" | "orphan"
}

/**
 * Unpack the archive of the source in `directory`, its first component named `name`; `.` for its
 * contents.
 */
export interface CopyPlan {
  readonly directory: string
  readonly name: string
}

/** What a copy of one file or directory comes to, or why it can't be. */
export const planCopy = (
  source: CopySource,
  destination: CopyDestination
): Result.Result<CopyPlan, CopyPathError> => {
  const { kind, path } = destination
  if (meansDirectory(source.path) && !source.isDirectory) {
    return refuse(source.path, "not a directory", "leave the slash at the end out")
  }
  const { name, parent } = splitPath(path)
  switch (kind) {
    case "directory":
      return Result.succeed({ directory: path, name: splitPath(source.path).name })
    case "special":
      return refuse(
        path,
        "the destination must be a directory or a regular file",
        "choose another destination"
      )
    case "orphan":
      return refuse(
        path,
        `no such directory: ${parent}`,
        "make it first: cp makes no parent directories"
      )
    case "file":
      if (source.isDirectory) {
        return refuse(path, "cannot copy a directory to a file", "name a directory")
      }
      if (meansDirectory(path)) {
        return refuse(path, "not a directory", "leave the slash at the end out")
      }
      return Result.succeed({ directory: parent, name })
    case "missing":
      if (!source.isDirectory && meansDirectory(path)) {
        return refuse(path, "no such directory", "make it first, or leave the slash at the end out")
      }
      return Result.succeed({ directory: parent, name })
  }
}

/** Where an archive from stdin is unpacked: only a directory will do. */
export const planStreamIn = (
  destination: CopyDestination
): Result.Result<CopyPlan, CopyPathError> =>
  destination.kind === "directory"
    ? Result.succeed({ directory: destination.path, name: "." })
    : refuse(destination.path, "the destination of an archive must be a directory", "make it first")

/**
 * An entry of an archive whose first component is `from`, under the name `to`; a hardlink's target
 * moves along. Entries elsewhere stay as they are.
 */
export const renameTop = (entry: TarEntry, from: string, to: string): TarEntry => {
  const path = renamePath(entry.path, from, to)
  const linkpath = entry.type === "hardlink" ? renamePath(entry.linkpath, from, to) : entry.linkpath
  return path === entry.path && linkpath === entry.linkpath ? entry : { ...entry, path, linkpath }
}

const renamePath = (path: string, from: string, to: string): string => {
  if (path === from) return to
  return path.startsWith(`${from}/`) ? to + path.slice(from.length) : path
}
