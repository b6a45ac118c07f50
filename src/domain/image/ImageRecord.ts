/** What the store keeps of an image. One layer for now; the layer store will hold them apart. */
import * as Schema from "effect/Schema"

/** What an image says where the user says nothing (OCI image-spec, config). */
export const ImageDefaults = Schema.Struct({
  entrypoint: Schema.Array(Schema.String),
  command: Schema.Array(Schema.String),
  env: Schema.Array(Schema.String),
  workingDirectory: Schema.String,
  user: Schema.String
})
export type ImageDefaults = typeof ImageDefaults.Type

export const noImageDefaults: ImageDefaults = { entrypoint: [], command: [], env: [], workingDirectory: "", user: "" }

export const ImageRecord = Schema.Struct({
  version: Schema.Literal(1),
  /** `sha256:` and 64 hexadecimal digits. */
  id: Schema.String,
  /** As given to `import`, with its tag: `name:tag`. */
  reference: Schema.String,
  createdAt: Schema.String,
  /** Host directories of the layers, top first. */
  layers: Schema.NonEmptyArray(Schema.String),
  /** Bytes of the regular files. */
  size: Schema.Int,
  config: ImageDefaults
})
export type ImageRecord = typeof ImageRecord.Type

/**
 * `name` or `name:tag` as the user typed it → `name:tag`; undefined when it does not follow the
 * distribution grammar (lower-case path components, a tag of 128 characters at most).
 */
export const normalizeReference = (text: string): string | undefined => {
  const match = /^([a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)(?::([\w][\w.-]{0,127}))?$/
    .exec(text)
  return match === null ? undefined : `${match[1]}:${match[2] ?? "latest"}`
}
