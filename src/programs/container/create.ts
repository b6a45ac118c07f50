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
import { noImageDefaults } from "../../domain/image/Defaults.ts"
import { withImageDefaults } from "../../domain/image/runConfig.ts"
import { errnoMeaning } from "../../domain/kernel/errno.ts"
import { driverFor } from "../../domain/layer/StorageDriver.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { Root } from "../image/imageRoot.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform } from "../Kernel.ts"
import { late } from "../late.ts"
import { driverInUse } from "../storageDriver.ts"
import { withVolumes } from "./imageVolumes.ts"
import { findContainer, now, putContainer, type Stored } from "../Store.ts"

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

/** `--rootfs`. */
const directoryRoot = Effect.fnUntraced(function*(
  rootfs: string
): Effect.fn.Return<Root, KernelError | ContainerError, Kernel | Host> {
  const refuse = (kind: "missing" | "invalid", cause: string) =>
    new ContainerError({ operation: "create", object: rootfs, kind, cause: `the root file system ${rootfs}${cause}` })
  const status = yield* perform("FileStat", { path: rootfs, follow: true }).pipe(
    Effect.mapError((error) => refuse("missing", `: ${errnoMeaning(error.errno)}`))
  )
  if (status.type !== "directory") return yield* refuse("invalid", " is not a directory")
  const layers = [rootfs]
  return { layers, ...driverFor(yield* driverInUse, layers), imageId: "", image: noImageDefaults, warnings: [] }
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

type RootOf = (config: ContainerConfig) => Effect.Effect<Root, KernelError | ContainerError, Kernel | Host>

const createOf = Effect.fnUntraced(function*(
  config: ContainerConfig, name: string, rootOf: RootOf
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
  const { warnings: rootWarnings, ...root } = yield* rootOf(settled)
  const id = yield* newId
  const completed = withVolumes(host.paths, id, withImageDefaults(settled, root.image), root.image)
  const record: ContainerRecord = {
    version: 1, id, name, createdAt: yield* now, config: completed, ...root, phase: "created", cgroups: [],
    limitsPending: false, stopRequested: false, error: "", restartCount: 0
  }
  for (let attempt = 0;; attempt++) {
    const random = [yield* Random.next, yield* Random.next, yield* Random.next] as const
    const named = name === "" ? { ...record, name: generatedName(random, attempt) } : record
    const put = yield* putContainer(named, 0).pipe(
      Effect.catchIf((error) => error.errno === "EEXIST", () => Effect.succeed(undefined))
    )
    if (put !== undefined) return { stored: put, warnings: [...warnings, ...rootWarnings] }
    if (name !== "") {
      return yield* refuse(
        "conflict", `the container name "/${name}" is already in use`,
        "remove or rename that container, or choose another name"
      )
    }
  }
})

const rootOfImages = late(() => import("../image/imageRoot.ts"))
const leases = late(() => import("../image/leases.ts"))

/**
 * `name` "" has one generated. An image that is found is there until the container's record says that it is needed; what
 * images take is loaded for them only.
 */
export const create = (
  config: ContainerConfig, name: string
): Effect.Effect<Created, KernelError | ContainerError, Kernel | Host> => {
  const { rootfs } = config
  if (rootfs !== undefined) return createOf(config, name, () => directoryRoot(rootfs))
  return Effect.flatMap(Effect.all([rootOfImages, leases]), ([{ imageRoot }, { keepingAll }]) =>
    keepingAll(createOf(config, name, imageRoot)))
}
