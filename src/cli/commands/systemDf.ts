/** `system df`: the room that images and containers take, and how much of it could come back. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { formatInspected } from "../../domain/text/formatInspected.ts"
import { formatRows, type Listing } from "../../domain/text/formatRows.ts"
import type { GoMap } from "../../domain/text/goTemplate/GoValue.ts"
import type { TextError } from "../../domain/text/TextError.ts"
import { Engine } from "../../programs/Engine.ts"
import type { DiskUsage } from "../../programs/image/diskUsage.ts"
import { Images, type InspectedImage } from "../../programs/Images.ts"
import { boolean, text } from "../argv/Flag.ts"
import { type Circumstances, containerListing, type ContainerRow } from "../format/containerListing.ts"
import { diskUsageListing, type UsageRow } from "../format/diskUsageListing.ts"
import { formatHelp } from "../format/formatHelp.ts"
import { imageListing, type ImageRow, imageRows } from "../format/imageListing.ts"
import { reclaimable } from "../format/reclaimable.ts"
import { print } from "../terminal/print.ts"
import { Surroundings } from "../terminal/Surroundings.ts"
import { command } from "./Command.ts"
import { refusal } from "./CommandFailure.ts"

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, number) => total + number, 0)

/** What docker counts, too, and this engine does not have. */
const none = (type: UsageRow["type"]): UsageRow => ({ type, total: 0, active: 0, size: 0, reclaimable: 0 })

const noVolumes = "Local Volumes space usage:\n\nVOLUME NAME   LINKS     SIZE\n"
const noBuildCache = "Build cache usage: 0B\n\nCACHE ID   CACHE TYPE   SIZE      CREATED   LAST USED   USAGE     SHARED\n"

const summaries = (usage: DiskUsage, inspected: ReadonlyArray<InspectedImage>): ReadonlyArray<UsageRow> => {
  const idle = new Set<string>(usage.images.filter(({ containers }) => containers === 0).map(({ image }) => image.id))
  const own = sum(usage.images.filter(({ image }) => image.builtin !== undefined).map(({ unique }) => unique))
  return [
    {
      type: "Images", total: usage.images.length, active: usage.images.length - idle.size, size: usage.layers + usage.blobs + own,
      reclaimable: reclaimable(inspected, (id) => idle.has(id)) + usage.waste
    },
    {
      type: "Containers", total: usage.containers.length, active: usage.containers.filter(({ running }) => running).length,
      size: sum(usage.containers.map(({ size }) => size)),
      reclaimable: sum(usage.containers.filter(({ running }) => !running).map(({ size }) => size))
    },
    none("Local Volumes"), none("Build Cache")
  ]
}

/** One row for each image. */
const detailedImages = (usage: DiskUsage): ReadonlyArray<ImageRow> => usage.images.flatMap((one) =>
  imageRows([one.image], { digests: false, ownDigests: false }).slice(0, 1).map((row) => ({ ...row, sizes: one })))

const imageTable = (circumstances: Circumstances): Listing<ImageRow> => {
  const listing = imageListing(circumstances, false)
  return {
    ...listing, defaultFormat: `${listing.defaultFormat}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}`
  }
}

const containerTable = (circumstances: Circumstances): Listing<ContainerRow> => ({
  ...containerListing(circumstances, true),
  defaultFormat: "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}"
})

const detailed = (
  usage: DiskUsage, containers: ReadonlyArray<ContainerRow>, circumstances: Circumstances, format: string
): Result.Result<string, TextError> => Result.gen(function*() {
  const images = detailedImages(usage)
  if (format === "" || format === "table") {
    const imageText = yield* formatRows(imageTable(circumstances), images, {})
    const containerText = yield* formatRows(containerTable(circumstances), containers, {})
    return `Images space usage:\n\n${imageText}\nContainers space usage:\n\n${containerText}\n${noVolumes}\n${noBuildCache}`
  }
  const whole = { ...circumstances, truncate: false }
  const json = { format: "json" }
  const objects = (lines: string) => lines.trim().split("\n").filter((line) => line !== "").join(",")
  const imageLines = yield* formatRows(imageTable(whole), images, json)
  const containerLines = yield* formatRows(containerTable(whole), containers, json)
  const all = `{"Images":[${objects(imageLines)}],"Containers":[${objects(containerLines)}],"Volumes":[],"BuildCache":[]}`
  return `${format === "json" ? all : yield* formatInspected(format, JSON.parse(all) as GoMap, new Set())}\n`
})

export const systemDf = command({
  forms: ["[OPTIONS]"],
  summary: "Show disk usage",
  flags: {
    format: text(formatHelp.table),
    verbose: boolean("Show detailed information on space usage", { short: "v" })
  },
  arguments: { least: 0, most: 0 },
  interspersed: true,
  engine: "reads",
  run: ({ values: { format, verbose } }) => Effect.gen(function*() {
    const images = yield* Images
    const usage = yield* images.diskUsage
    if (!verbose) {
      const inspected = yield* Effect.forEach(usage.images, ({ image }) => images.inspect(image.id))
      yield* print(yield* Effect.fromResult(formatRows(diskUsageListing, summaries(usage, inspected), { format })))
      return 0
    }
    if (format.startsWith("table") && format !== "table") {
      return yield* refusal("--verbose has several tables, not one of a template: leave out --verbose, or the word table")
    }
    const { zone } = yield* Surroundings
    const now = yield* Clock.currentTimeNanos
    const sizes = new Map(usage.containers.map(({ record, size }) => [record.id, size]))
    const containers = (yield* Engine.use((engine) => engine.list)).map((summary): ContainerRow => ({
      ...summary, size: { rw: sizes.get(summary.record.id) ?? 0, rootFs: 0 }
    }))
    yield* print(yield* Effect.fromResult(detailed(usage, containers, { now, zone, truncate: true }, format)))
    return 0
  })
})
