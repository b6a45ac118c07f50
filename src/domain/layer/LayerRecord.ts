/** A layer that lies unpacked: written when all of it is there, so a directory without a record is rubbish. */
import * as Schema from "effect/Schema"
import { Digest } from "../image/Digest.ts"

export const StorageDriver = Schema.Literals(["overlay2", "vfs", "btrfs"])
export type StorageDriver = typeof StorageDriver.Type

/** Under the key `DRIVER CHAINID`. */
export const LayerRecord = Schema.Struct({
  version: Schema.Literal(1),
  driver: StorageDriver,
  /** Of this layer over all below it. */
  chainId: Digest,
  diffId: Digest,
  /** Chain id of the layer below; absent at the bottom. */
  parent: Schema.optionalKey(Digest),
  /** Name of its directory among those of the driver. */
  directory: Schema.String,
  /** Bytes of the regular files. */
  size: Schema.Int,
  /** It hides all layers below. */
  opaque: Schema.Boolean,
  /** Layers' archives that are known to be of this diffID, maybe each compressed in its own way. */
  blobs: Schema.optionalKey(Schema.Array(Digest)),
  /**
   * Absent: it is on disk. Else the boot in which it was unpacked, and when (milliseconds of the epoch): in that boot it is
   * whole, in a later one it may be what a loss of power has left. Boot "": an earlier one, and nobody has needed it since.
   */
  unsynced: Schema.optionalKey(Schema.Struct({ boot: Schema.String, at: Schema.Int }))
})
export type LayerRecord = typeof LayerRecord.Type

/** `boot`: the present one. */
export const isWhole = (record: LayerRecord, boot: string): boolean => record.unsynced === undefined || record.unsynced.boot === boot

/** One that may have been cut short by a loss of power which nobody has looked at yet. */
export const isSuspect = (record: LayerRecord, boot: string): boolean => !isWhole(record, boot) && record.unsynced?.boot !== ""

/** Milliseconds after which Linux has written what is dirty by itself, nearly: twice vm.dirty_expire_centisecs. */
const writtenAfter = 60_000

/** One whose syncing hardly takes time any more. */
export const isRipe = ({ unsynced }: LayerRecord, boot: string, now: number): boolean =>
  unsynced !== undefined && unsynced.boot === boot && now - unsynced.at > writtenAfter

export const isOfBlob = ({ blobs = [] }: LayerRecord, blob: Digest): boolean => blobs.includes(blob)

export const layerKey = (driver: StorageDriver, chainId: Digest): string => `${driver} ${chainId}`
