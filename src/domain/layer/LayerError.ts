/** What is wrong with a layer: with what it asks for, or with a tree that no layer can hold. */
import * as Schema from "effect/Schema"

const LayerErrorKind = Schema.Literals([
  /** The path leads out, has a NUL, or one of its names is too long. */
  "path",
  /** More than a limit allows. */
  "pathLength",
  "depth",
  "entries",
  "expandedSize",
  "ratio",
  /** A name that begins with `.wh.` but hides nothing that could be there. */
  "whiteout",
  /** A device that overlayfs takes for something else. */
  "device",
  /** A hard link to nothing, or to a directory. */
  "link",
  /** A path through something that is no directory. */
  "notDirectory",
  /** A path through symlinks without end. */
  "loop",
  /** The root as something else than a directory. */
  "root",
  /** An upper directory whose files are only to be understood with its lower ones. */
  "redirect"
])
export type LayerErrorKind = typeof LayerErrorKind.Type

export class LayerError extends Schema.TaggedError<LayerError>()("LayerError", {
  kind: LayerErrorKind,
  /** As the archive or the tree has it; "" when it is about the layer as a whole. */
  path: Schema.String,
  reason: Schema.String,
  /** What a user can do about it. */
  hint: Schema.String
}) {
  override get message(): string {
    const where = this.path === "" ? "layer" : `layer: ${JSON.stringify(this.path)}`
    return `${where}: ${this.reason} (${this.hint})`
  }
}

const distrust = "the layer is damaged or hostile: do not use its image"

export const layerError = (
  kind: LayerErrorKind,
  path: string,
  reason: string,
  hint: string = distrust
): LayerError => new LayerError({ kind, path, reason, hint })
