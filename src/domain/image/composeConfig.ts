/** The config of an image that we make: by import of a tar archive, or by commit on top of another image. */
import type { Digest } from "./Digest.ts"
import { diffIdsOf, type HistoryEntry, type ImageConfig, type RunConfig } from "./ImageConfig.ts"
import { runConfigOf } from "./runConfig.ts"
import type { ImageDefaults } from "./Defaults.ts"
import { describePlatform, type ImagePlatform } from "./Platform.ts"

/** Keys of `config` that ImageDefaults stands for; others are inherited from the base as they are. */
const ownKeys: ReadonlySet<string> = new Set([
  "User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal", "Healthcheck",
  "Shell", "OnBuild"
])

const inherited = (config: RunConfig = {}): RunConfig =>
  Object.fromEntries(Object.entries(config).filter(([key]) => !ownKeys.has(key)))

/** A layer that the history of its image does not tell of needs a row of its own, or later rows would be taken for its. */
const completeHistory = (base: ImageConfig): ReadonlyArray<HistoryEntry> => {
  const history = base.history ?? []
  const told = history.filter(({ empty_layer }) => empty_layer !== true).length
  return [...history, ...Array.from({ length: Math.max(0, diffIdsOf(base).length - told) }, () => ({}))]
}

export interface ComposedImage {
  /** The image below; absent: from scratch. */
  readonly base?: ImageConfig
  readonly defaults: ImageDefaults
  readonly platform: ImagePlatform
  /** RFC 3339. */
  readonly created: string
  /** The new layer; absent when no file has changed. */
  readonly diffId?: Digest
  /** What made the layer: a command line, or "". */
  readonly createdBy: string
  readonly author: string
  readonly comment: string
}

const given = (key: string, text: string) => text === "" ? {} : { [key]: text }

export const composeConfig = (image: ComposedImage): ImageConfig => {
  const { base, diffId } = image
  const entry: HistoryEntry = {
    created: image.created,
    ...given("author", image.author),
    ...given("created_by", image.createdBy),
    ...given("comment", image.comment),
    ...(diffId === undefined ? { empty_layer: true } : {})
  }
  return {
    ...describePlatform(image.platform),
    created: image.created,
    ...given("author", image.author),
    config: { ...inherited(base?.config), ...runConfigOf(image.defaults) },
    rootfs: {
      type: "layers",
      diff_ids: [...(base === undefined ? [] : diffIdsOf(base)), ...(diffId === undefined ? [] : [diffId])]
    },
    history: [...(base === undefined ? [] : completeHistory(base)), entry]
  }
}
