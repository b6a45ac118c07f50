/**
 * What unpacking a layer makes, as a function of trees: the meaning of `LayerUnpacking`'s
 * operations, which every storage driver owes, in both forms.
 */
import * as Result from "effect/Result"
import type { LayerFile } from "./changesToTar.ts"
import type { LayerError } from "./LayerError.ts"
import { defaultLayerLimits, type LayerLimits } from "./LayerLimits.ts"
import { type LayerForm, startLayer, stepLayer, type UnpackOperation } from "./LayerUnpacking.ts"
import type { EntryPath } from "./entryPath.ts"
import type { TarEntry } from "./TarEntry.ts"
import { emptyTree, type FileEntry, impliedDirectory, type Tree } from "./Tree.ts"
import {
  type DraftDirectory,
  type DraftFile,
  type DraftNode,
  draftOf,
  isGone,
  newDirectory,
  resolveDirectory,
  type Stack,
  treeOfDraft
} from "./TreeDraft.ts"
import { linkToDirectory, linkToNothing } from "./unpackFaults.ts"

export interface Unpacked {
  /**
   * With the form `overlay` what is on disk: whiteouts as devices 0/0, `trusted.overlay.opaque`.
   */
  readonly tree: Tree
  /**
   * Directories that have something of this layer in them, but no entry of their own, parents
   * first. Over a copy of the lower layers they have these layers' facts already; a layer unpacked
   * by itself must be given them (see `settleImplied`).
   */
  readonly implied: ReadonlyArray<string>
  /** Names and nodes looked at: what the unpacking cost. */
  readonly visits: number
}

/** A layer over a tree of the layers below, as vfs and btrfs unpack it. */
export const applyLayer = (
  lower: Tree,
  files: Iterable<LayerFile>,
  limits: LayerLimits = defaultLayerLimits
): Result.Result<Unpacked, LayerError> => run("flat", lower, files, limits)

/** A layer by itself, as it lies on disk to be a lower directory of overlayfs. */
export const unpackLayer = (
  files: Iterable<LayerFile>,
  limits: LayerLimits = defaultLayerLimits
): Result.Result<Unpacked, LayerError> => run("overlay", emptyTree, files, limits)

interface Run {
  readonly form: LayerForm
  readonly root: DraftDirectory
  readonly limits: LayerLimits
  visits: number
}

const run = (
  form: LayerForm,
  lower: Tree,
  files: Iterable<LayerFile>,
  limits: LayerLimits
): Result.Result<Unpacked, LayerError> => {
  const state: Run = { form, root: draftOf(lower), limits, visits: 0 }
  if (form === "overlay") state.root.isTouched = true
  let unpacking = startLayer(form, limits)
  for (const file of files) {
    const step = stepLayer(unpacking, file.entry)
    if (Result.isFailure(step)) return Result.fail(step.failure)
    unpacking = step.success.unpacking
    for (const operation of step.success.operations) {
      const wrong = perform(state, operation, file.content)
      if (wrong !== undefined) return Result.fail(wrong)
    }
  }
  return Result.succeed({ ...treeOfDraft(state.root), visits: state.visits })
}

/** Does one operation to the draft, or says why it can't be done. */
const perform = (
  run: Run,
  operation: UnpackOperation,
  content: string | null
): LayerError | undefined => {
  switch (operation._tag) {
    case "Make":
      return make(run, operation, content)
    case "MakeWhiteout":
    case "RemoveLower":
      return hide(run, operation.path)
    case "MarkOpaque":
    case "ClearLower": {
      const stack = resolve(run, operation.path)
      if (isError(stack)) return stack
      const directory = stack.at(-1)!
      if (run.form === "overlay") directory.isOpaque = true
      else clear(run, directory)
      return undefined
    }
  }
}

const isError = (found: Stack | LayerError | undefined): found is LayerError | undefined =>
  !Array.isArray(found)

const optionsOf = (run: Run, makes: boolean) => ({
  makes,
  limits: run.limits,
  visited: () => {
    run.visits++
  }
})

const resolve = (run: Run, path: EntryPath): Stack | LayerError =>
  // Undefined only where nothing may be made.
  resolveDirectory(run.root, path, optionsOf(run, true))!

/** Takes a node out; a disk is asked for each file below. */
const remove = (run: Run, directory: DraftDirectory, name: string): void => {
  const count = (node: DraftNode): void => {
    run.visits++
    if (node.type === "dir") for (const child of node.children.values()) count(child)
  }
  const node = directory.children.get(name)
  if (node !== undefined) count(node)
  directory.children.delete(name)
}

const make = (
  run: Run,
  { entry, link, path }: UnpackOperation & { readonly _tag: "Make" },
  content: string | null
): LayerError | undefined => {
  if (path.length === 0) {
    giveFacts(run.root, entry)
    return undefined
  }
  const other = link === null ? undefined : findFile(run, entry.path, link)
  if (other !== undefined && other instanceof Error) return other
  const name = path.at(-1)!
  const stack = resolve(run, path.slice(0, -1))
  if (isError(stack)) return stack
  const parent = stack.at(-1)!
  const found = parent.children.get(name)
  if (entry.type === "dir") {
    if (found?.type === "dir") {
      giveFacts(found, entry)
      return undefined
    }
    const directory = newDirectory(impliedDirectory, true)
    giveFacts(directory, entry)
    directory.isOpaque = run.form === "overlay" && found !== undefined
    parent.children.set(name, directory)
    return undefined
  }
  if (other !== undefined && found === other) return undefined
  remove(run, parent, name)
  const file = other ?? newFile(entry, content)
  file.isTouched = true
  parent.children.set(name, file)
  return undefined
}

const giveFacts = (directory: DraftDirectory, entry: TarEntry): void => {
  const { gid, mode, mtime, uid, xattrs } = entry
  directory.entry = { type: "dir", mode, uid, gid, mtime, xattrs }
  directory.isTouched = true
  directory.isSettled = true
}

const newFile = (entry: TarEntry, content: string | null): DraftFile => {
  const { devmajor, devminor, gid, linkpath: target, mtime, size, uid, xattrs } = entry
  // Hard links and directories are made elsewhere.
  const type = entry.type as FileEntry["type"]
  const mode = type === "symlink" ? 0o777 : entry.mode
  const facts = { mode, uid, gid, mtime, xattrs }
  const what = { type, size, content: type === "file" ? content : null, target }
  return {
    type,
    entry: { ...facts, ...what, devmajor, devminor, link: null },
    isTouched: true
  }
}

/** The file that a hard link is to be another name of. A symlink is one itself. */
const findFile = (run: Run, shown: string, path: EntryPath): DraftFile | LayerError => {
  const stack = resolveDirectory(run.root, path.slice(0, -1), optionsOf(run, false))
  if (stack instanceof Error) return stack
  const node = stack?.at(-1)!.children.get(path.at(-1)!)
  const target = path.join("/")
  if (node === undefined || isGone(node)) return linkToNothing(run.form, shown, target)
  return node.type === "dir" ? linkToDirectory(shown, target) : node
}

/** A whiteout: what the layers below have there is gone, what this one has stays. */
const hide = (run: Run, path: EntryPath): LayerError | undefined => {
  const stack = resolve(run, path.slice(0, -1))
  if (isError(stack)) return stack
  const parent = stack.at(-1)!
  const name = path.at(-1)!
  const found = parent.children.get(name)
  run.visits++
  if (found === undefined) {
    if (run.form === "overlay") parent.children.set(name, newWhiteout())
  } else if (!found.isTouched) {
    remove(run, parent, name)
  } else if (found.type === "dir") {
    hideBelow(run, found)
  }
  return undefined
}

/** A directory of this layer of which the lower layers' one is gone, with its facts. */
const hideBelow = (run: Run, directory: DraftDirectory): void => {
  if (!directory.isSettled) directory.entry = impliedDirectory
  directory.isSettled = true
  if (run.form === "overlay") directory.isOpaque = true
  else clear(run, directory)
}

const newWhiteout = (): DraftFile => ({
  type: "char",
  entry: {
    ...impliedDirectory,
    type: "char",
    mode: 0,
    size: 0,
    content: null,
    target: "",
    devmajor: 0,
    devminor: 0,
    link: null
  },
  isTouched: true
})

/**
 * Takes all that is not of this layer out of the directory: once, however often it is asked for.
 */
const clear = (run: Run, directory: DraftDirectory): void => {
  run.visits++
  if (directory.isCleared) return
  directory.isCleared = true
  for (const [name, node] of directory.children) {
    if (!node.isTouched) remove(run, directory, name)
    else if (node.type === "dir") hideBelow(run, node)
  }
}
