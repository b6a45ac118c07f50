/**
 * The config of an image: how it is run, and which layers it is made of (OCI image-spec, config.md; Docker's image
 * specification 1.2 adds Healthcheck, Shell and OnBuild). Keys that are not ours are kept.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { GoMap } from "../text/goTemplate/GoValue.ts"
import type { TextError } from "../text/TextError.ts"
import { StringMap } from "./Annotations.ts"
import { Digest } from "./Digest.ts"
import {
  decodeDocument, documentLimits, type DocumentSource, encodeDocument, parseObject, refuseDocument
} from "./JsonDocument.ts"
import type { Manifest } from "./Manifest.ts"

const Text = Schema.optionalKey(Schema.String)
const Words = Schema.Array(Schema.String)
/** Docker once wrote a single word as a string. */
const Command = Schema.optionalKey(Schema.Union([Words, Schema.String]))
/** Go's set of strings: only the keys count. */
const Names = Schema.optionalKey(
  Schema.Record(Schema.String, Schema.Unknown).check(Schema.isMaxProperties(documentLimits.annotations))
)
const rest = [Schema.Record(Schema.String, Schema.Unknown)] as const

/** `config.Healthcheck`: nanoseconds, as in the Engine API. */
const ImageHealthcheck = Schema.Struct({
  Test: Schema.optionalKey(Words),
  Interval: Schema.optionalKey(Schema.Int),
  Timeout: Schema.optionalKey(Schema.Int),
  StartPeriod: Schema.optionalKey(Schema.Int),
  StartInterval: Schema.optionalKey(Schema.Int),
  Retries: Schema.optionalKey(Schema.Int)
})

/** `config` of an image's config: what containers take from it. */
export const RunConfig = Schema.StructWithRest(
  Schema.Struct({
    User: Text,
    ExposedPorts: Names,
    Env: Schema.optionalKey(Words),
    Entrypoint: Command,
    Cmd: Command,
    Volumes: Names,
    WorkingDir: Text,
    Labels: Schema.optionalKey(StringMap),
    StopSignal: Text,
    Healthcheck: Schema.optionalKey(ImageHealthcheck),
    Shell: Command,
    OnBuild: Schema.optionalKey(Words)
  }),
  rest
)
export type RunConfig = typeof RunConfig.Type

export const HistoryEntry = Schema.StructWithRest(
  Schema.Struct({
    created: Text,
    author: Text,
    created_by: Text,
    comment: Text,
    empty_layer: Schema.optionalKey(Schema.Boolean)
  }),
  rest
)
export type HistoryEntry = typeof HistoryEntry.Type

export const ImageConfig = Schema.StructWithRest(
  Schema.Struct({
    created: Text,
    author: Text,
    architecture: Text,
    variant: Text,
    os: Text,
    "os.version": Text,
    "os.features": Schema.optionalKey(Words),
    config: Schema.optionalKey(RunConfig),
    rootfs: Schema.Struct({
      type: Schema.Literal("layers"),
      /** Digests of the layers' uncompressed tar streams, bottom first. */
      diff_ids: Schema.optionalKey(Schema.Array(Digest).check(Schema.isMaxLength(documentLimits.descriptors)))
    }),
    history: Schema.optionalKey(Schema.Array(HistoryEntry).check(Schema.isMaxLength(documentLimits.history)))
  }),
  rest
)
export type ImageConfig = typeof ImageConfig.Type

export const diffIdsOf = (config: ImageConfig): ReadonlyArray<Digest> => config.rootfs.diff_ids ?? []

/** Rows of the history that made a layer. */
const layersOfHistory = (config: ImageConfig): number =>
  (config.history ?? []).filter(({ empty_layer }) => empty_layer !== true).length

/**
 * A config names a layer for each row of its history that is not empty. Tools that write no history, or a shorter one
 * than layers, leave layers unexplained, which harms nobody.
 */
const checkHistory = (config: ImageConfig, source: DocumentSource): Result.Result<ImageConfig, TextError> => {
  const told = layersOfHistory(config)
  const layers = diffIdsOf(config).length
  return told <= layers
    ? Result.succeed(config)
    : refuseDocument(source, `its history tells of ${told} layers, but rootfs.diff_ids has ${layers}`)
}

/** `name`: the config's digest, or where it was found. */
export const decodeImageConfig = (bytes: Uint8Array, name: string): Result.Result<ImageConfig, TextError> => {
  const source: DocumentSource = { kind: "image config", name }
  return parseObject(bytes, source).pipe(
    Result.flatMap((object) =>
      Object.hasOwn(object, "rootfs")
        ? decodeDocument(ImageConfig, object, source)
        : refuseDocument(source, "it has no rootfs: it is of an image format older than Docker 1.10, or of no image")
    ),
    Result.flatMap((config) => checkHistory(config, source))
  )
}

/** Every layer of the manifest has its diffID in the config. Run once both are read. */
export const checkLayers = (
  config: ImageConfig, manifest: Pick<Manifest, "layers" | "config">
): Result.Result<void, TextError> => {
  const layers = manifest.layers.length
  const named = diffIdsOf(config).length
  return layers === named
    ? Result.succeed(undefined)
    : refuseDocument(
      { kind: "image config", name: manifest.config.digest },
      `it names ${named} layers in rootfs.diff_ids, but the manifest has ${layers}`
    )
}

/** The bytes of a config that we make. Their digest is the image's id. */
export const encodeImageConfig = (config: ImageConfig): Uint8Array => encodeDocument(config as GoMap)
