/** The laws of the kernel's operations, on the simulated kernel with each arrangement of control groups, and on this one. */
import { onEveryGround } from "./grounds.ts"
import { batchLaws } from "./kernel/batches.ts"
import { cgroupLaws } from "./kernel/cgroups.ts"
import { channelLaws } from "./kernel/channels.ts"
import { fileLaws, lockLaws } from "./kernel/files.ts"
import { recordLaws } from "./kernel/records.ts"

onEveryGround("files", fileLaws)
onEveryGround("locks", lockLaws)
onEveryGround("records", recordLaws)
onEveryGround("batches and undo", batchLaws)
onEveryGround("control groups", cgroupLaws)
onEveryGround("supervisors and channels", channelLaws)
