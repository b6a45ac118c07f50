/** Engines that are measured from outside, each with state of its own that goes in the end. */
import { spawnSync } from "node:child_process"
import { existsSync, rmSync } from "node:fs"
import { join } from "node:path"
import type { Workspace } from "../Workspace.ts"
import { commandLine } from "./commandLine.ts"
import { isInstalled } from "./ociRuntime.ts"

/** "{}" in the commands stands for a number. */
export interface EngineCommands {
  readonly name: string
  readonly peer: boolean
  readonly runTrue: ReadonlyArray<string>
  readonly startIdle: ReadonlyArray<string>
  readonly removeIdle: ReadonlyArray<string>
}

export const ourCommands = (workspace: Workspace): EngineCommands => {
  const engine = commandLine(workspace)
  const options = ["--network", "none", "--rootfs", workspace.rootfs]
  return {
    name: "fx-engine", peer: false,
    runTrue: [...engine, "run", "--rm", ...options, "true"],
    startIdle: [...engine, "run", "-d", "--name", "bench-{}", ...options, "sleep", "1000"],
    removeIdle: [...engine, "rm", "-f", "bench-{}"]
  }
}

/** Its locks are in shared memory under this name, whatever --root says. */
const podmanLocks = "/dev/shm/libpod_lock"

/**
 * podman with crun, without systemd and without events; `:O` gives its containers a writable layer as ours have.
 * The limits are given since podman would raise them beyond what a restricted host allows.
 */
export const podmanCommands = (workspace: Workspace): EngineCommands => {
  const at = (name: string) => join(workspace.directory, "podman", name)
  const podman = [
    "podman", "--root", at("root"), "--runroot", at("run"), "--tmpdir", at("tmp"),
    "--storage-driver", "overlay", "--cgroup-manager", "cgroupfs", "--events-backend", "none",
    "--runtime", "crun"
  ]
  const run = [
    "--network", "none", "--cgroup-parent", `${workspace.group}/podman`,
    "--ulimit", "nofile=1024:4096", "--ulimit", "nproc=1024:1024", "--rootfs", `${workspace.rootfs}:O`
  ]
  const hadLocks = existsSync(podmanLocks)
  workspace.atEnd(async () => {
    await workspace.time([...podman, "rm", "-f", "-t", "0", "--all"], { peer: true })
    if (!hadLocks) rmSync(podmanLocks, { force: true })
  })
  return {
    name: "podman", peer: true,
    runTrue: [...podman, "run", "--rm", ...run, "true"],
    startIdle: [...podman, "run", "-d", "--name", "bench-{}", ...run, "sleep", "1000"],
    removeIdle: [...podman, "rm", "-f", "-t", "0", "bench-{}"]
  }
}

/** docker, where a daemon answers: the root file system becomes an image. */
export const dockerCommands = (workspace: Workspace): EngineCommands => {
  const image = workspace.group.slice(1)
  const tar = spawnSync("tar", ["-C", workspace.rootfs, "-c", "."], { maxBuffer: 64 << 20 }).stdout
  const imported = spawnSync("docker", ["import", "-", image], { input: tar, encoding: "utf8" })
  if (imported.status !== 0) throw new Error(`docker import: ${imported.stderr}`)
  const name = `${image}-{}`
  workspace.atEnd(() => Promise.resolve(void spawnSync("docker", ["rmi", "-f", image])))
  return {
    name: "docker", peer: false,
    runTrue: ["docker", "run", "--rm", "--network", "none", image, "true"],
    startIdle: ["docker", "run", "-d", "--name", name, "--network", "none", image, "sleep", "1000"],
    removeIdle: ["docker", "rm", "-f", name]
  }
}

/** Ourselves, then whoever else is here. */
export const installedEngines = (workspace: Workspace): ReadonlyArray<EngineCommands> => [
  ourCommands(workspace),
  ...(["podman", "conmon", "crun"].every(isInstalled) ? [podmanCommands(workspace)] : []),
  ...(spawnSync("docker", ["version"]).status === 0 ? [dockerCommands(workspace)] : [])
]
