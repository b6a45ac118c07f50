/**
 * Creates a container: one record. Name and record are one transaction, and everything else is made by the
 * first start, so there is nothing that a crash could leave half made.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { checkConfig } from "../../domain/container/checkConfig.ts"
import type { ContainerConfig } from "../../domain/container/ContainerConfig.ts"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import { generatedName, isContainerName, nameRule } from "../../domain/container/ContainerName.ts"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import { noImageDefaults, normalizeReference } from "../../domain/image/ImageRecord.ts"
import { errnoMeaning } from "../../domain/kernel/errno.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { runsOn } from "../../domain/text/flags/Platform.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform } from "../Kernel.ts"
import { findContainer, listImages, now, putContainer, type Stored } from "../Store.ts"

/** 64 hexadecimal digits, never all decimal in the first twelve: a hostname that is a number confuses programs. */
const newId = Effect.gen(function*() {
  for (;;) {
    let id = ""
    while (id.length < 64) {
      const word = yield* Random.nextIntBetween(0, 2 ** 32)
      id += word.toString(16).padStart(8, "0")
    }
    if (!/^[0-9]+$/.test(id.slice(0, 12))) return id
  }
})

/** The layers of the root file system, top first, and the image's id. */
const resolveRoot = Effect.fnUntraced(function*(
  config: ContainerConfig
): Effect.fn.Return<Pick<ContainerRecord, "layers" | "imageId" | "image">, KernelError | ContainerError, Kernel | Host> {
  const refuse = (kind: "missing" | "invalid", cause: string, cure?: string) =>
    new ContainerError({
      operation: "create", object: config.rootfs ?? config.image, kind, cause, ...(cure === undefined ? {} : { cure })
    })
  if (config.rootfs !== undefined) {
    const status = yield* perform("FileStat", { path: config.rootfs, follow: true }).pipe(
      Effect.mapError((error) => refuse("missing", `the root file system ${config.rootfs}: ${errnoMeaning(error.errno)}`))
    )
    if (status.type !== "directory") return yield* refuse("invalid", `the root file system ${config.rootfs} is not a directory`)
    return { layers: [config.rootfs], imageId: "", image: noImageDefaults }
  }
  const reference = normalizeReference(config.image)
  const images = yield* listImages
  const image = images.find(({ record }) =>
    record.reference === reference || record.id === config.image ||
    (/^[0-9a-f]{4,64}$/.test(config.image) && record.id.startsWith(`sha256:${config.image}`))
  )
  if (image === undefined) {
    if (reference === undefined) return yield* refuse("invalid", `invalid reference format: "${config.image}"`)
    return yield* refuse("missing", `No such image: ${reference}`, "import one, or name a directory with --rootfs")
  }
  const { machine } = (yield* (yield* Host).facts).texts
  if (!runsOn(config.platform, machine)) {
    const found = `image ${reference ?? config.image} was found but is for ${machine}`
    return yield* refuse("missing", `${found}, not for the specified platform (${config.platform})`, "leave --platform out")
  }
  return { layers: image.record.layers, imageId: image.record.id, image: image.record.config }
})

/** Names of joined containers are settled now: a later rename must not change who is meant. */
const settleModes = Effect.fnUntraced(function*(
  config: ContainerConfig
): Effect.fn.Return<ContainerConfig, KernelError | ContainerError, Kernel> {
  const settleMode = Effect.fnUntraced(function*(mode: string) {
    if (!mode.startsWith("container:")) return mode
    const { record } = yield* findContainer("create", mode.slice("container:".length))
    return `container:${record.id}`
  })
  return {
    ...config,
    networkMode: yield* settleMode(config.networkMode),
    pidMode: yield* settleMode(config.pidMode),
    ipcMode: yield* settleMode(config.ipcMode)
  }
})

export interface Created {
  readonly stored: Stored<ContainerRecord>
  readonly warnings: ReadonlyArray<string>
}

/** `name` "" has one generated. */
export const create = Effect.fnUntraced(function*(
  config: ContainerConfig, name: string
): Effect.fn.Return<Created, KernelError | ContainerError, Kernel | Host> {
  const host = yield* Host
  const refuse = (kind: "invalid" | "conflict", cause: string, cure?: string) =>
    new ContainerError({
      operation: "create", object: name || config.image, kind, cause, ...(cure === undefined ? {} : { cure })
    })
  if (name !== "" && !isContainerName(name)) {
    return yield* refuse("invalid", `Invalid container name (${name})`, nameRule)
  }
  const facts = yield* host.facts
  const settled = yield* settleModes(config)
  const warnings = yield* Effect.fromResult(checkConfig(settled, facts.texts)).pipe(
    Effect.mapError((cause) => refuse("invalid", cause))
  )
  const root = yield* resolveRoot(settled)
  const id = yield* newId
  const record: ContainerRecord = {
    version: 1, id, name, createdAt: yield* now, config: settled, ...root, phase: "created", cgroups: [],
    limitsPending: false, stopRequested: false, error: "", restartCount: 0
  }
  for (let attempt = 0;; attempt++) {
    const random = [yield* Random.next, yield* Random.next, yield* Random.next] as const
    const named = name === "" ? { ...record, name: generatedName(random, attempt) } : record
    const put = yield* putContainer(named, 0).pipe(
      Effect.catchIf((error) => error.errno === "EEXIST", () => Effect.succeed(undefined))
    )
    if (put !== undefined) return { stored: put, warnings }
    if (name !== "") {
      return yield* refuse(
        "conflict", `the container name "/${name}" is already in use`,
        "remove or rename that container, or choose another name"
      )
    }
  }
})
