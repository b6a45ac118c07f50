/** The laws of the kernel's operations, on the simulated kernel with each arrangement of control groups, and on this one. */
import { onEveryGround } from "./grounds.ts"
import { batchLaws } from "./kernel/batches.ts"
import { blobLaws } from "./kernel/blobs.ts"
import { cgroupLaws } from "./kernel/cgroups.ts"
import { channelLaws } from "./kernel/channels.ts"
import { fileLaws, lockLaws } from "./kernel/files.ts"
import { layerLaws } from "./kernel/layers.ts"
import { recordLaws } from "./kernel/records.ts"

onEveryGround("files", fileLaws)
onEveryGround("locks", lockLaws)
onEveryGround("blobs", blobLaws)
onEveryGround("records", recordLaws)
onEveryGround("batches and undo", batchLaws)
onEveryGround("control groups", cgroupLaws)
onEveryGround("supervisors and channels", channelLaws)
onEveryGround("layers and listings", layerLaws)
