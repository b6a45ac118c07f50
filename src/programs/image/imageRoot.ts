/** The root of a container that is made of an image. */
import * as Effect from "effect/Effect"
import type { ContainerConfig } from "../../domain/container/ContainerConfig.ts"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import type { ImageRecord } from "../../domain/image/ImageRecord.ts"
import { formatPlatform, normalizePlatform, platformOf, platformRank } from "../../domain/image/Platform.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { driverFor, shownDirectories } from "../../domain/layer/StorageDriver.ts"
import { parsePlatform } from "../../domain/text/flags/Platform.ts"
import { Host } from "../Host.ts"
import type { Kernel } from "../Kernel.ts"
import { driverInUse } from "../storageDriver.ts"
import { hostPlatform } from "./hostPlatform.ts"
import { invalidText, lookUpImage, missingImage } from "./imageRecords.ts"
import { unpackedLayers } from "./unpackedLayers.ts"

export interface Root extends Pick<ContainerRecord, "layers" | "driver" | "imageId" | "image"> {
  readonly warnings: ReadonlyArray<string>
}

/** Whether the image is for the platform that was asked for, and what is to be said when the host's is another. */
const checkPlatform = Effect.fnUntraced(function*(
  config: ContainerConfig, image: ImageRecord
): Effect.fn.Return<ReadonlyArray<string>, KernelError | ContainerError, Host> {
  const own = platformOf(image.platform)
  const host = yield* hostPlatform
  if (own === undefined) return []
  if (config.platform !== "") {
    const wanted = yield* Effect.fromResult(parsePlatform(config.platform, host)).pipe(
      Effect.mapError(invalidText("create"))
    )
    if (platformRank(normalizePlatform(wanted), own) !== undefined) return []
    return yield* new ContainerError({
      operation: "create", object: config.image, kind: "missing",
      cause: `image with reference ${config.image} was found but its platform (${formatPlatform(own)}) does not match the ` +
        `specified platform (${formatPlatform(normalizePlatform(wanted))})`,
      cure: "leave --platform out, or pull the image for this platform"
    })
  }
  return platformRank(host, own) !== undefined ? [] : [
    `The requested image's platform (${formatPlatform(own)}) does not match the detected host platform ` +
    `(${formatPlatform(host)}) and no specific platform was requested`
  ]
})

/** The layers of an image, top first, and its id. */
export const imageRoot = Effect.fnUntraced(function*(
  config: ContainerConfig
): Effect.fn.Return<Root, KernelError | ContainerError, Kernel | Host> {
  const { paths } = yield* Host
  const found = yield* lookUpImage("create", config.image)
  if (found === undefined) return yield* missingImage("create", config.image)
  const { builtin, record } = found
  const warnings = yield* checkPlatform(config, record)
  const layers = builtin?.directories ?? shownDirectories(paths, yield* unpackedLayers("create", record.layers))
  if (layers.length > 0) {
    return { layers, ...driverFor(yield* driverInUse, layers), imageId: record.id, image: record.config, warnings }
  }
  return yield* new ContainerError({
    operation: "create", object: config.image, kind: "invalid", cause: "the image has no layers: there is nothing to run in it",
    cure: "use an image with a root file system"
  })
})
