/** Mounts and devices of a container as `run` asks for them. */
import * as Result from "effect/Result"
import type { Mount } from "../../../domain/container/ContainerConfig.ts"
import { parseDevice } from "../../../domain/text/flags/Device.ts"
import { parseMount } from "../../../domain/text/flags/Mount.ts"
import type { MountRequest } from "../../../domain/text/flags/MountRequest.ts"
import { parseTmpfs } from "../../../domain/text/flags/Tmpfs.ts"
import { parseVolume } from "../../../domain/text/flags/Volume.ts"
import { explained, type Refusal } from "./processPart.ts"
import type { ContainerValues, RunInput } from "./RunInput.ts"

const mountOf = (request: MountRequest): Result.Result<Mount, Refusal> =>
  request._tag !== "Volume" ? Result.succeed(request) : Result.fail(
    `cannot mount the ${request.name === "" ? "anonymous volume" : `volume ${request.name}`} at ${request.target}: ` +
      "volumes are not supported yet, mount a directory of the host by its absolute path"
  )

export const filePart = (values: ContainerValues, input: RunInput) => Result.gen(function*() {
  const mounts: Array<Mount> = []
  for (const volume of values.volume) {
    mounts.push(yield* mountOf(yield* explained(parseVolume(volume, input.workingDirectory))))
  }
  for (const mount of values.mount) {
    mounts.push(yield* mountOf(yield* explained(parseMount(mount, input.workingDirectory))))
  }
  for (const tmpfs of values.tmpfs) mounts.push(yield* explained(parseTmpfs(tmpfs)))
  const devices = []
  for (const device of values.device) devices.push(yield* explained(parseDevice(device)))
  return {
    mounts,
    readonlyRootfs: values["read-only"],
    ...(values["shm-size"] === undefined || values["shm-size"] === 0 ? {} : { shmSize: values["shm-size"] }),
    devices,
    deviceCgroupRules: values["device-cgroup-rule"]
  }
})
