/** Whether the records of images, names and layers agree with what is on disk. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Paths from "../../domain/container/Paths.ts"
import type { ImageRecord, NameRecord } from "../../domain/image/ImageRecord.ts"
import { parseReference } from "../../domain/image/Reference.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { layerKey } from "../../domain/layer/LayerRecord.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform } from "../Kernel.ts"
import { sizeOfBlob } from "./blobs.ts"
import { removeName } from "./imageRecords.ts"
import { listLayers } from "./layers.ts"

export interface StoreProblem {
  readonly object: string
  readonly problem: string
  readonly mended: boolean
}

/** Contents that an image names and that are not there, or not whole. */
const imageProblems = Effect.fnUntraced(function*(
  { id, layers, target }: ImageRecord
): Effect.fn.Return<ReadonlyArray<StoreProblem>, KernelError, Kernel | Host> {
  const found: Array<StoreProblem> = []
  const wanted = [target, { digest: id, size: undefined }, ...layers.map(({ blob }) => blob)]
  for (const { digest, size } of wanted) {
    const stored = yield* sizeOfBlob(digest)
    const what = stored === undefined
      ? `its content ${digest} is missing`
      : size !== undefined && stored !== size ? `its content ${digest} has ${stored} bytes instead of ${size}` : undefined
    if (what !== undefined) found.push({ object: id, problem: `${what}, pull or load it again`, mended: false })
  }
  return found
})

/** A layer whose directory has gone is unpacked again when its record has gone, too. */
const layerProblems = Effect.fnUntraced(function*(
  repair: boolean
): Effect.fn.Return<ReadonlyArray<StoreProblem>, KernelError, Kernel | Host> {
  const { paths } = yield* Host
  const found: Array<StoreProblem> = []
  for (const { chainId, directory, driver } of yield* listLayers) {
    const path = Paths.layerDirectory(paths, driver, directory)
    const missing = yield* perform("FileStat", { path, follow: false }).pipe(
      Effect.map(({ type }) => type !== "directory"), Effect.catchIf((error) => error.errno === "ENOENT", () => Effect.succeed(true))
    )
    if (!missing) continue
    if (repair) yield* perform("RecordDelete", { collection: "layers", key: layerKey(driver, chainId) })
    found.push({ object: chainId, problem: `its directory ${path} has gone, and is made again of the stored layer`, mended: repair })
  }
  return found
})

/** Names of images that are not there. */
const nameProblems = Effect.fnUntraced(function*(
  images: ReadonlySet<string>, repair: boolean
): Effect.fn.Return<ReadonlyArray<StoreProblem>, KernelError, Kernel> {
  const found: Array<StoreProblem> = []
  for (const { key, value } of yield* perform("RecordList", { collection: "names" })) {
    if (images.has((JSON.parse(value) as NameRecord).image)) continue
    const reference = parseReference(key)
    if (repair && Result.isSuccess(reference)) yield* removeName(reference.success)
    found.push({ object: key, problem: "it is the name of an image that is not there", mended: repair })
  }
  return found
})

export const checkStore = Effect.fnUntraced(function*(
  options: { readonly repair: boolean }
): Effect.fn.Return<ReadonlyArray<StoreProblem>, KernelError, Kernel | Host> {
  const rows = yield* perform("RecordList", { collection: "images" })
  const images = rows.map(({ value }) => JSON.parse(value) as ImageRecord)
  const names = yield* nameProblems(new Set(images.map(({ id }) => id)), options.repair)
  const contents = yield* Effect.forEach(images, imageProblems)
  return [...names, ...contents.flat(), ...yield* layerProblems(options.repair)]
})
