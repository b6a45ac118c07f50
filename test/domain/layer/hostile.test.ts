import * as Result from "effect/Result"
import { gunzipSync, zstdDecompressSync } from "node:zlib"
import { describe, expect, it } from "vitest"
import { applyLayer, unpackLayer, type Unpacked } from "../../../src/domain/layer/apply.ts"
import type { LayerFile } from "../../../src/domain/layer/changesToTar.ts"
import { compressionRefusal, detectCompression } from "../../../src/domain/layer/compression.ts"
import type { LayerError } from "../../../src/domain/layer/LayerError.ts"
import { defaultLayerLimits, type LayerLimits } from "../../../src/domain/layer/LayerLimits.ts"
import { checkRatio } from "../../../src/domain/layer/LayerUnpacking.ts"
import { mergeOverlay } from "../../../src/domain/layer/overlayMerge.ts"
import { finish, start, step, type TarEvent } from "../../../src/domain/layer/TarDecoder.ts"
import type { TarError } from "../../../src/domain/layer/TarEntry.ts"
import { entriesOf, nodeAt, type Tree } from "../../../src/domain/layer/Tree.ts"
import { type HostileArchive, hostileArchives, hostileLower, type Outcome } from "./hostile.ts"

/** What stopped an unpacking that is not the layer's own error. */
class Stopped extends Error {
  readonly outcome: Outcome
  constructor(outcome: Outcome) {
    super("stopped")
    this.outcome = outcome
  }
}

const refused = (error: TarError | LayerError): Outcome =>
  error._tag === "TarError"
    ? { _tag: "Refused", by: "tar", kind: error.kind }
    : { _tag: "Refused", by: "layer", kind: error.kind }

const decompress = (archive: HostileArchive, piece: Uint8Array): Uint8Array => {
  try {
    if (archive.compression === "gzip") return gunzipSync(piece)
    if (archive.compression === "zstd") return zstdDecompressSync(piece)
  } catch {
    throw new Stopped({ _tag: "Refused", by: "compression" })
  }
  return piece
}

/** The entries of the archive as they come, with the bytes read so far told. */
function* filesOf(archive: HostileArchive, limits: LayerLimits): Generator<LayerFile> {
  let decoder = start()
  let compressedBytes = 0
  let archiveBytes = 0
  const take = function* (events: ReadonlyArray<TarEvent>): Generator<LayerFile> {
    for (const event of events) {
      if (event._tag === "Failed") throw new Stopped(refused(event.error))
      if (event._tag === "Entry") yield { entry: event.entry, content: "hostile" }
    }
  }
  for (const piece of archive.pieces()) {
    if (compressedBytes === 0) {
      const compression = detectCompression(piece)
      if (compressionRefusal(compression) !== undefined) {
        throw new Stopped({ _tag: "Refused", by: "compression" })
      }
      expect(compression).toBe(archive.compression)
    }
    const bytes = decompress(archive, piece)
    compressedBytes += piece.length
    archiveBytes += bytes.length
    const wrong = checkRatio(limits, compressedBytes, archiveBytes)
    if (wrong !== undefined) throw new Stopped(refused(wrong))
    const [events, next] = step(decoder, bytes)
    decoder = next
    yield* take(events)
  }
  yield* take(finish(decoder))
}

type Unpack = (
  files: Iterable<LayerFile>,
  limits: LayerLimits
) => Result.Result<Unpacked, LayerError>

const unpacked = (archive: HostileArchive, unpack: Unpack): Outcome | Unpacked => {
  const limits = { ...defaultLayerLimits, ...archive.limits }
  try {
    const result = unpack(filesOf(archive, limits), limits)
    return Result.isSuccess(result) ? result.success : refused(result.failure)
  } catch (stopped) {
    if (stopped instanceof Stopped) return stopped.outcome
    throw stopped
  }
}

/** Whether what came of it is what was to come of it. */
const check = (found: Outcome | Unpacked, expected: Outcome, shown: (tree: Tree) => Tree): void => {
  if (expected._tag === "Refused" || "_tag" in found) return expect(found).toEqual(expected)
  const tree = shown(found.tree)
  for (const path of expected.has) expect(nodeAt(tree, path), path).toBeDefined()
  for (const path of expected.hasNot) expect(nodeAt(tree, path), path).toBeUndefined()
  for (const [path, { xattrs }] of entriesOf(found.tree)) {
    // Opaque is what a whiteout may come to; nothing else may be smuggled in.
    const strange = [...xattrs.keys()].filter((name) => name !== "trusted.overlay.opaque")
    expect(strange, path).toEqual([])
  }
  // A step or two for each name: linear in what was asked for.
  expect(found.visits).toBeLessThan(500_000)
}

describe("of hostile archives", () => {
  it("there are many, each with a name of its own", () => {
    expect(hostileArchives.length).toBeGreaterThan(100)
    expect(new Set(hostileArchives.map(({ name }) => name)).size).toBe(hostileArchives.length)
  })

  const named = hostileArchives.map((archive) => [archive.name, archive] as const)
  it.each(named)("%s", (_, archive) => {
    const over = unpacked(archive, (files, limits) => applyLayer(hostileLower, files, limits))
    check(over, archive.over, (tree) => tree)
    check(unpacked(archive, unpackLayer), archive.alone, (tree) => mergeOverlay(hostileLower, tree))
  })
})
