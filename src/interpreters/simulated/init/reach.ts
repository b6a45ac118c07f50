/**
 * How operations after the pivot reach a path: inside the root, without magic links, made when
 * missing.
 */
import { current, type Draft, fail, Failure } from "../Draft.ts"
import { attributesOf } from "../files/access.ts"
import { createAt } from "../files/fileCalls.ts"
import { type Resolved, resolveEntry, type Walk } from "../files/resolve.ts"
import type { Place } from "../World.ts"

export interface Reaching {
  readonly kind: "directory" | "file"
  readonly mode: number
  /** No component may be a symbolic link. */
  readonly strict: boolean
}

/** Links and parents that are made on the way, at most. */
const depthLimit = 128

const walkOf = (strict: boolean): Walk => ({ noMagicLinks: true, noSymlinks: strict })

const find = (draft: Draft, path: string, walk: Walk): Resolved | undefined => {
  try {
    return resolveEntry(draft, path, true, walk)
  } catch (failure) {
    if (failure instanceof Failure && failure.errno === "ENOENT") return undefined
    throw failure
  }
}

const parentOf = (path: string): string => path.replace(/\/+$/, "").replace(/\/[^/]*$/, "") || "/"

const reachAt = (draft: Draft, path: string, reaching: Reaching, depth: number): Place => {
  if (depth === 0) fail("ELOOP", path)
  const walk = walkOf(reaching.strict)
  const found = find(draft, path, walk)
  if (found?.place !== undefined) {
    if (reaching.kind === "directory" && attributesOf(draft, found.place).type !== "directory") {
      fail("ENOTDIR", path)
    }
    return found.place
  }
  if (found !== undefined) {
    const { uid, gid, umask } = current(draft)
    const mode = reaching.mode & ~umask & 0o7777
    return createAt(
      draft,
      found,
      path,
      reaching.kind === "directory"
        ? { type: "directory", mode, uid, gid }
        : { type: "file", content: "", mode, uid, gid }
    )
  }
  const parent = parentOf(path)
  if (parent === path) fail("ENOENT", path)
  reachAt(draft, parent, { kind: "directory", mode: 0o755, strict: reaching.strict }, depth - 1)
  // With its parent there, what is still missing is what a dangling link points to
  const link = find(draft, path, walk) === undefined
    ? resolveEntry(draft, path, false, walk).place
    : undefined
  if (link === undefined) return reachAt(draft, path, reaching, depth - 1)
  const { target } = attributesOf(draft, link)
  return reachAt(
    draft,
    target!.startsWith("/") ? target! : `${parent}/${target}`,
    reaching,
    depth - 1
  )
}

/** Errors are about the whole path, wherever on the way they come up. */
const named = <A>(path: string, body: () => A): A => {
  try {
    return body()
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure
    return fail(failure.errno, path, failure.hint)
  }
}

/** The place of a path, made with missing parents (0755) when it is not there. */
export const reach = (draft: Draft, path: string, reaching: Reaching): Place => {
  draft.syscall = "openat2"
  return named(path, () => reachAt(draft, path, reaching, depthLimit))
}

/** The path of an entry with its parent made; EINVAL for a path without a last name. */
export const reachParent = (draft: Draft, path: string): Resolved => {
  draft.syscall = "openat2"
  const name = path.replace(/\/+$/, "").split("/").at(-1)!
  if (name === "" || name === "." || name === "..") fail("EINVAL", path)
  const parent = { kind: "directory", mode: 0o755, strict: false } as const
  named(path, () => reachAt(draft, parentOf(path), parent, depthLimit))
  return resolveEntry(draft, path.replace(/\/+$/, ""), false, walkOf(false))
}

/** The place of a path that may be missing: `undefined` then. */
export const lookFor = (draft: Draft, path: string, strict: boolean): Place | undefined => {
  draft.syscall = "openat2"
  try {
    return resolveEntry(draft, path, true, walkOf(strict)).place
  } catch (failure) {
    if (failure instanceof Failure && (failure.errno === "ENOENT" || failure.errno === "ENOTDIR")) {
      return undefined
    }
    throw failure
  }
}
