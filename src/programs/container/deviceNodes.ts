/** Looks up the device nodes that a configuration names: their types and numbers. */
import * as Effect from "effect/Effect"
import type { ContainerConfig } from "../../domain/container/ContainerConfig.ts"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import type { DeviceNode } from "../../domain/container/resources.ts"
import { errnoMeaning } from "../../domain/kernel/errno.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { FileStatus } from "../../domain/kernel/KernelOp.ts"
import { type Kernel, perform } from "../Kernel.ts"

const ofStatus = (status: FileStatus): DeviceNode | undefined => {
  if (status.type !== "block" && status.type !== "character") return undefined
  const { major, minor, mode, type, uid, gid } = status
  return { type, major, minor, mode, uid, gid }
}

/** What the container makes itself, and what belongs to the host's terminals (moby: HostDevices). */
const notForContainers = new Set([
  "pts", "shm", "fd", "mqueue", "console", "ptmx", "null", "zero", "full", "random", "urandom", "tty", "stdin",
  "stdout", "stderr", "core", "hugepages"
])

/** All device nodes of /dev and its directories, for --privileged. */
const allNodes: Effect.Effect<Record<string, DeviceNode>, KernelError, Kernel> = Effect.gen(function*() {
  const nodes: Record<string, DeviceNode> = {}
  const directories = ["/dev"]
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    for (const name of yield* perform("DirList", { path: directory })) {
      if (directory === "/dev" && notForContainers.has(name)) continue
      const path = `${directory}/${name}`
      const status = yield* perform("FileStat", { path, follow: false }).pipe(
        // A node may vanish between the listing and the look
        Effect.catchIf((error) => error.errno === "ENOENT", () => Effect.succeed(undefined))
      )
      if (status?.type === "directory") directories.push(path)
      const node = status === undefined ? undefined : ofStatus(status)
      if (node !== undefined) nodes[path] = node
    }
  }
  return nodes
})

export const deviceNodes = Effect.fnUntraced(function*(
  config: ContainerConfig
): Effect.fn.Return<{ readonly [path: string]: DeviceNode }, KernelError | ContainerError, Kernel> {
  const nodes: Record<string, DeviceNode> = config.privileged ? yield* allNodes : {}
  const { resources } = config
  const wanted = [
    ...config.devices.map((device) => device.pathOnHost),
    ...(resources.blkioWeightDevice ?? []).map((device) => device.path),
    ...[
      resources.blkioDeviceReadBps, resources.blkioDeviceWriteBps, resources.blkioDeviceReadIOps,
      resources.blkioDeviceWriteIOps
    ].flatMap((devices) => devices ?? []).map((device) => device.path)
  ]
  for (const path of wanted) {
    if (nodes[path] !== undefined) continue
    const status = yield* perform("FileStat", { path, follow: true }).pipe(
      Effect.mapError((error) =>
        new ContainerError({
          operation: "start", object: path, kind: "invalid", cause: `cannot use the device ${path}: ${errnoMeaning(error.errno)}`,
          cure: "name a device node of the host"
        })
      )
    )
    const node = ofStatus(status)
    if (node === undefined) {
      return yield* new ContainerError({
        operation: "start", object: path, kind: "invalid", cause: `cannot use the device ${path}: it is not a device node`
      })
    }
    nodes[path] = node
  }
  return nodes
})
