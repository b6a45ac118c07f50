/** The grounds of the laws with each storage driver: simulated hosts, this kernel, and this kernel with a btrfs disk. */
import { afterAll, beforeAll, describe } from "@effect/vitest"
import type { StorageDriver } from "../../src/domain/layer/LayerRecord.ts"
import { BtrfsDisk, withoutBtrfs } from "../linux/BtrfsDisk.ts"
import type { Ground } from "./Ground.ts"
import { linuxGround, unavailable } from "./linuxGround.ts"
import { simulatedGround } from "./simulatedGround.ts"

type State = (ground: Ground) => void

const drivers = ["overlay2", "vfs", "btrfs"] as const

const simulated = await Promise.all(drivers.map((driver) =>
  simulatedGround({ cgroups: "v2", rootFilesystem: driver === "btrfs" ? "btrfs" : "ext4" }, `a simulated host with ${driver}`, driver)))

const onThisKernel = (driver: StorageDriver, reason: string | undefined, subject: string, state: State): void => {
  const title = `${subject}, on this kernel with ${driver}`
  describe.skipIf(reason !== undefined)(reason === undefined ? title : `${title} [skipped: ${reason}]`, () => {
    if (reason !== undefined) return
    const disk = driver === "btrfs" ? new BtrfsDisk() : undefined
    const ground = linuxGround({ driver, ...(disk === undefined ? {} : { disk: disk.path }) })
    // Only when a law is asked for, so that no mount outlives a run of other laws
    beforeAll(() => {
      disk?.mount()
      ground.open()
    })
    afterAll(() => ground.close().finally(() => disk?.dispose()))
    state(ground)
  })
}

/** States a group of laws of every driver on every ground; those of the default driver may be stated elsewhere. */
export const onEveryDriver = (
  subject: string, state: State, stated: ReadonlyArray<StorageDriver> = drivers
): void => {
  for (const ground of simulated.filter(({ driver }) => stated.includes(driver))) {
    describe(`${subject}, on ${ground.title}`, () => state(ground))
  }
  for (const driver of stated) onThisKernel(driver, driver === "btrfs" ? withoutBtrfs : unavailable, subject, state)
}
