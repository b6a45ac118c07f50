/** The laws of the engine, on the simulated kernel with each arrangement of control groups, and on this one. */
import { onEveryGround } from "./grounds.ts"
import { accountLaws } from "./engine/accounts.ts"
import { execLaws } from "./engine/exec.ts"
import { exitLaws } from "./engine/exits.ts"
import { imageLaws } from "./engine/images.ts"
import { copyLaws, layerLaws } from "./engine/layers.ts"
import { limitLaws } from "./engine/limits.ts"
import { nameLaws, removalLaws } from "./engine/names.ts"
import { namespaceLaws } from "./engine/namespaces.ts"
import { sharingLaws } from "./engine/sharing.ts"
import { signalLaws } from "./engine/signals.ts"
import { unpackedLaws } from "./engine/unpacked.ts"
import { streamLaws } from "./engine/streams.ts"

onEveryGround("how containers end", exitLaws)
onEveryGround("signals", signalLaws)
onEveryGround("input, output and logs", streamLaws)
onEveryGround("exec", execLaws)
onEveryGround("accounts", accountLaws)
onEveryGround("namespaces", namespaceLaws)
onEveryGround("layers and mounts", layerLaws)
onEveryGround("copies", copyLaws)
onEveryGround("limits", limitLaws)
onEveryGround("names", nameLaws)
onEveryGround("removal", removalLaws)
onEveryGround("engines that share a root", sharingLaws)
onEveryGround("images", imageLaws)
onEveryGround("unpacked layers", unpackedLaws)
