/**
 * What a layer does to the layers below it. A layer is a tar archive in which a file whose name
 * begins with `.wh.` stands for something that is gone (OCI image-spec, layer.md, "Whiteouts");
 * here it is a plain fact.
 */
import * as Result from "effect/Result"
import { type EntryPath, EntryPathError } from "./entryPath.ts"

export type Change =
  /** Something new at the path. */
  | { readonly _tag: "Add"; readonly path: EntryPath }
  /** Something else in place of what the lower layers have at the path. */
  | { readonly _tag: "Modify"; readonly path: EntryPath }
  /** The path and all below it is gone. */
  | { readonly _tag: "Delete"; readonly path: EntryPath }
  /** The directory at the path hides what the lower layers have in it. */
  | { readonly _tag: "Opaque"; readonly path: EntryPath }

const whiteout = ".wh."
/** Names that AUFS kept for itself; old layers have them, and they mean nothing to us. */
const metadata = ".wh..wh."
const opaque = ".wh..wh..opq"

/**
 * The change that an entry of a layer stands for, or null when it is to be passed over. `isBelow`
 * says whether the lower layers have something at a path. Fails for a whiteout that names no file.
 */
export const changeOf = (
  path: EntryPath,
  isBelow: (path: EntryPath) => boolean
): Result.Result<Change | null, EntryPathError> => {
  const directory = path.slice(0, -1)
  const name = path.at(-1) ?? ""
  if (name === opaque) return Result.succeed({ _tag: "Opaque", path: directory })
  if (path.some((component) => component.startsWith(metadata))) return Result.succeed(null)
  if (directory.some((component) => component.startsWith(whiteout))) {
    return refuse(path, "a directory on its way has the name of a whiteout")
  }
  if (!name.startsWith(whiteout)) {
    return Result.succeed({ _tag: isBelow(path) ? "Modify" : "Add", path })
  }
  const gone = name.slice(whiteout.length)
  return gone === "" || gone === "." || gone === ".."
    ? refuse(path, "it is a whiteout of no file")
    : Result.succeed({ _tag: "Delete", path: [...directory, gone] })
}

const refuse = (path: EntryPath, reason: string): Result.Result<never, EntryPathError> =>
  Result.fail(
    new EntryPathError({
      path: path.join("/"),
      reason,
      hint: "the layer is damaged or hostile: do not unpack it"
    })
  )

/**
 * The path of the entry that stands for a change in a layer; the opposite of `changeOf`. Fails for
 * a file whose own name a reader would take for a whiteout, and for the deletion of the root.
 */
export const changePath = (change: Change): Result.Result<EntryPath, EntryPathError> => {
  const { path } = change
  if (path.some((component) => component.startsWith(whiteout))) {
    return Result.fail(
      new EntryPathError({
        path: path.join("/"),
        reason: `layers keep names that begin with ${whiteout} for whiteouts`,
        hint: "rename the file"
      })
    )
  }
  switch (change._tag) {
    case "Add":
    case "Modify":
      return Result.succeed(path)
    case "Opaque":
      return Result.succeed([...path, opaque])
    case "Delete": {
      const name = path.at(-1)
      return name === undefined
        ? refuse(path, "the root can't be deleted")
        : Result.succeed([...path.slice(0, -1), whiteout + name])
    }
  }
}
