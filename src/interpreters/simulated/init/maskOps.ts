/** InitOps that hide paths of a container, or keep them from being written. */
import { type Draft, fail } from "../Draft.ts"
import { attributesOf } from "../files/access.ts"
import { resolve } from "../files/resolve.ts"
import { openEmpty } from "../mounts/filesystemTypes.ts"
import { cloneTree } from "../mounts/mountTree.ts"
import type { Place } from "../World.ts"
import { alterInit, initTask, type Op } from "./InitState.ts"
import { moveOnto, openTree, setAttributes } from "./mountOps.ts"
import { lookFor } from "./reach.ts"

/** The container's own /dev/null, if it is that. */
const nullDevice = (draft: Draft): Place => {
  draft.syscall = "openat2"
  const place = resolve(draft, "/dev/null", false, { noSymlinks: true, noMagicLinks: true })
  const { type, major, minor } = attributesOf(draft, place)
  return type === "character" && major === 1 && minor === 3 ? place : fail("ENODEV", "/dev/null")
}

export const maskPaths = (draft: Draft, { paths }: Op<"MaskPaths">): void => {
  for (const path of paths) {
    const target = lookFor(draft, path, false)
    if (target === undefined) continue
    if (attributesOf(draft, target).type !== "directory") {
      moveOnto(draft, openTree(draft, nullDevice(draft), false, "/dev/null"), target, path)
      continue
    }
    const { maskMount } = initTask(draft)
    const tree = maskMount === 0
      ? openEmpty(draft)
      : cloneTree(draft, maskMount, { recursive: false, bind: true })
    if (maskMount === 0) alterInit(draft, { maskMount: tree })
    moveOnto(draft, tree, target, path)
  }
}

export const readonlyPaths = (draft: Draft, { paths }: Op<"ReadonlyPaths">): void => {
  for (const path of paths) {
    const target = lookFor(draft, path, false)
    if (target === undefined) continue
    const tree = openTree(draft, target, true, path)
    setAttributes(draft, tree, ["ro", "recursive"], undefined)
    moveOnto(draft, tree, target, path)
  }
}
