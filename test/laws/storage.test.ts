/** The laws of storage drivers: whatever keeps the layers, images and containers are the same. */
import { copyLaws, layerLaws } from "./engine/layers.ts"
import { imageLaws } from "./engine/images.ts"
import { storageLaws } from "./engine/storage.ts"
import { unpackedLaws } from "./engine/unpacked.ts"
import { copyOperationLaws } from "./kernel/copies.ts"
import { onEveryDriver } from "./storageGrounds.ts"

onEveryDriver("storage drivers", storageLaws)
onEveryDriver("whole trees", copyOperationLaws)
onEveryDriver("images", imageLaws, ["vfs", "btrfs"])
onEveryDriver("unpacked layers", unpackedLaws, ["vfs", "btrfs"])
onEveryDriver("layers and mounts", layerLaws, ["vfs", "btrfs"])
onEveryDriver("copies", copyLaws, ["vfs", "btrfs"])
