/**
 * What can turn out to be wrong with a layer while its operations are done, in words that are the
 * same whoever does them.
 */
import { type LayerError, layerError } from "./LayerError.ts"
import type { LayerLimits } from "./LayerLimits.ts"
import type { LayerForm } from "./LayerUnpacking.ts"

/** MAXSYMLINKS, linux/namei.h */
export const mostSymlinks = 40

export const tooManyLinks = (path: string): LayerError =>
  layerError("loop", path, `more than ${mostSymlinks} symlinks are on its way`)

/** `name`: what stands in the way. */
export const notDirectory = (path: string, name: string): LayerError =>
  layerError("notDirectory", path, `${JSON.stringify(name)} on its way is no directory`)

export const nameTooLong = (path: string, most: number): LayerError =>
  layerError("path", path, `a name on its way has more than ${most} bytes`)

export const reservedName = (path: string, prefix: string): LayerError =>
  layerError("whiteout", path, `it leads to a directory named ${prefix}…`)

/** `target`: what the hard link is to. */
export const linkToNothing = (form: LayerForm, path: string, target: string): LayerError => {
  const reason = `it is a hard link to ${JSON.stringify(target)}, which is not there`
  return form === "flat"
    ? layerError("link", path, reason)
    : layerError("link", path, `${reason} in this layer`, "unpack it over the layers below")
}

export const linkToDirectory = (path: string, target: string): LayerError =>
  layerError("link", path, `it is a hard link to the directory ${JSON.stringify(target)}`)

export const tooManyImplied = (path: string, { entries }: LayerLimits): LayerError =>
  layerError(
    "entries",
    path,
    `directories that are only on the way to others: more than the ${entries} allowed`,
    "if the layer is to be trusted, raise the limit entries"
  )

export const symlinkBelow = (path: string): LayerError =>
  layerError(
    "notDirectory",
    path,
    "the layer has something in it, but for the layers below it is a symlink",
    "unpack it over the layers below"
  )
