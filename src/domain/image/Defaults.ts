/** What an image says where the user of a container says nothing. */
import * as Schema from "effect/Schema"
import { Healthcheck } from "../container/ContainerConfig.ts"

/** What an image says where the user says nothing (OCI image-spec, config). */
export const ImageDefaults = Schema.Struct({
  entrypoint: Schema.Array(Schema.String),
  command: Schema.Array(Schema.String),
  env: Schema.Array(Schema.String),
  workingDirectory: Schema.String,
  user: Schema.String,
  /** Paths in the container that are kept apart from its layers. */
  volumes: Schema.optionalKey(Schema.Array(Schema.String)),
  labels: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  stopSignal: Schema.optionalKey(Schema.String),
  healthcheck: Schema.optionalKey(Healthcheck),
  /** `80/tcp` */
  exposedPorts: Schema.optionalKey(Schema.Array(Schema.String)),
  /** What the shell form of an instruction is given to; absent: `/bin/sh -c`. */
  shell: Schema.optionalKey(Schema.Array(Schema.String)),
  /** Instructions for builds from this image. */
  onBuild: Schema.optionalKey(Schema.Array(Schema.String))
})
export type ImageDefaults = typeof ImageDefaults.Type

export const noImageDefaults: ImageDefaults = { entrypoint: [], command: [], env: [], workingDirectory: "", user: "" }
