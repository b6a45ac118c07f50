/** What the addon found wrong with a layer, see `native/addon/layer.h`, in the words of the domain. */
import type { LayerError } from "../../domain/layer/LayerError.ts"
import type { LayerLimits } from "../../domain/layer/LayerLimits.ts"
import { type LayerForm, tooDeep } from "../../domain/layer/LayerUnpacking.ts"
import {
  linkToDirectory, linkToNothing, nameTooLong, notDirectory, reservedName, symlinkBelow, tooManyImplied, tooManyLinks
} from "../../domain/layer/unpackFaults.ts"
import { whiteoutPrefix } from "../../domain/layer/whiteout.ts"
import type { Failure } from "./addon.ts"

/** NAME_MAX, linux/limits.h */
const nameMax = 255

/** The layer's error, or undefined when it was the kernel that failed. `path`: of the entry, as the archive has it. */
export const layerRefusal = (
  { detail, path: below, syscall }: Failure, path: string, form: LayerForm, limits: LayerLimits
): LayerError | undefined => {
  switch (syscall) {
    case "layer loop":
      return tooManyLinks(path)
    case "layer notDirectory":
      return notDirectory(path, detail)
    case "layer depth":
      return tooDeep(path.slice(0, 100), limits)
    case "layer nameLength":
      return nameTooLong(path, nameMax)
    case "layer reserved":
      return reservedName(path, whiteoutPrefix)
    case "layer entries":
      return tooManyImplied(path, limits)
    case "layer linkMissing":
      return linkToNothing(form, path, detail)
    case "layer linkDirectory":
      return linkToDirectory(path, detail)
    case "layer symlinkBelow":
      return symlinkBelow(below)
    default:
      return undefined
  }
}
