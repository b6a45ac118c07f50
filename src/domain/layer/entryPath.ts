/**
 * Where an entry of an archive belongs below the directory it is unpacked into. Archives come from
 * strangers: a path is only text until it has become components here, none of which leads out of
 * that directory. (A symlink that lies on the way is the business of whoever opens the components:
 * openat2 RESOLVE_IN_ROOT.)
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { encodeName } from "./tarName.ts"

/**
 * Names below the root, outermost first, each without slash and NUL and none "", "." or ".."; [] is
 * the root.
 */
export type EntryPath = ReadonlyArray<string>

export class EntryPathError extends Schema.TaggedError<EntryPathError>()("EntryPathError", {
  /** The path as the archive has it. */
  path: Schema.String,
  reason: Schema.String,
  /** What a user can do about it. */
  hint: Schema.String
}) {
  override get message(): string {
    return `archive entry ${JSON.stringify(this.path)}: ${this.reason} (${this.hint})`
  }
}

/** NAME_MAX, linux/limits.h */
const nameMax = 255

/**
 * The components of the path of an entry or of the target of a hardlink. An absolute path counts
 * from the root that is unpacked into. `..` is resolved by the text alone; above the root of an
 * absolute path it stays there, as in the kernel. A relative path that climbs out is refused, as
 * Docker does, or with `clamp` held at the root too.
 */
export const resolveEntryPath = (
  path: string,
  climbing: "refuse" | "clamp" = "refuse"
): Result.Result<EntryPath, EntryPathError> => {
  if (path.includes("\0")) return refuse(path, "its path contains a NUL")
  const components: Array<string> = []
  const mayClimb = climbing === "clamp" || path.startsWith("/")
  for (const name of path.split("/")) {
    if (name === "" || name === ".") continue
    if (name === "..") {
      if (components.pop() === undefined && !mayClimb) {
        return refuse(path, "its path leads out of the directory that is unpacked into")
      }
      continue
    }
    if (name.length * 3 > nameMax && encodeName(name).length > nameMax) {
      return refuse(path, `one name in its path has more than ${nameMax} bytes`)
    }
    components.push(name)
  }
  return Result.succeed(components)
}

const refuse = (path: string, reason: string): Result.Result<never, EntryPathError> =>
  Result.fail(
    new EntryPathError({
      path,
      reason,
      hint: "the archive is damaged or hostile: do not unpack it"
    })
  )

/**
 * Whether a symlink at `link` with the target `target` points below the root, by the text of both:
 * Docker refuses to unpack one that does not. An absolute target counts from the root, so it always
 * does.
 */
export const symlinkStaysInside = (link: EntryPath, target: string): boolean => {
  if (target.startsWith("/")) return true
  let depth = link.length - 1
  for (const name of target.split("/")) {
    if (name === "..") depth--
    else if (name !== "" && name !== ".") depth++
    if (depth < 0) return false
  }
  return true
}
