/** Whoever brings images in and out, each with a store of its own that goes in the end. */
import { existsSync, rmSync } from "node:fs"
import { join } from "node:path"
import type { Workspace } from "../Workspace.ts"
import { commandLine } from "./commandLine.ts"
import { isInstalled } from "./ociRuntime.ts"

export type Argv = ReadonlyArray<string>

/** Commands of an engine that has a store of images. */
export interface ImageTool {
  readonly name: string
  readonly peer: boolean
  readonly pull: (image: string) => Argv
  readonly load: (archive: string) => Argv
  readonly save: (image: string, archive: string) => Argv
  readonly push: (image: string) => Argv
  readonly tag: (image: string, name: string) => Argv
  /** Runs a shell script in a container that stays. */
  readonly run: (container: string, image: string, script: string) => Argv
  readonly commit: (container: string, image: string) => Argv
  readonly removeContainer: (container: string) => Argv
  /** What comes next begins with nothing. */
  readonly forgetImages: Argv
}

/**
 * A store that is not removed yet but put aside: ext4 does not use inodes of removed files again at once, and whoever
 * makes files after thousands were removed waits while it looks for others.
 */
const putAside = (directory: string): Argv =>
  ["sh", "-c", `n=0; while [ -e ${directory}-$n ]; do n=$((n + 1)); done; mv ${directory} ${directory}-$n`]

const ours = (workspace: Workspace): ImageTool => {
  const engine = commandLine(workspace)
  return {
    name: "fx-engine", peer: false,
    pull: (image) => [...engine, "pull", "-q", image],
    load: (archive) => [...engine, "load", "-q", "-i", archive],
    save: (image, archive) => [...engine, "save", "-o", archive, image],
    push: (image) => [...engine, "push", "-q", image],
    tag: (image, name) => [...engine, "tag", image, name],
    run: (container, image, script) => [...engine, "run", "--name", container, "--network", "none", image, "sh", "-c", script],
    commit: (container, image) => [...engine, "commit", container, image],
    removeContainer: (container) => [...engine, "rm", container],
    forgetImages: putAside(workspace.paths.root)
  }
}

/** Its locks are in shared memory under this name, whatever --root says. */
const podmanLocks = "/dev/shm/libpod_lock"

const podman = (workspace: Workspace): ImageTool => {
  const at = (name: string) => join(workspace.directory, "podman-images", name)
  const engine = [
    "podman", "--root", at("root"), "--runroot", at("run"), "--tmpdir", at("tmp"), "--storage-driver", "overlay",
    "--cgroup-manager", "cgroupfs", "--events-backend", "none", "--runtime", "crun"
  ]
  const limits = ["--ulimit", "nofile=1024:4096", "--ulimit", "nproc=1024:1024", "--cgroup-parent", `${workspace.group}/podman`]
  const hadLocks = existsSync(podmanLocks)
  workspace.atEnd(async () => {
    await workspace.time([...engine, "rm", "-f", "-t", "0", "--all"], { peer: true })
    await workspace.time([...engine, "rmi", "-f", "--all"], { peer: true })
    if (!hadLocks) rmSync(podmanLocks, { force: true })
  })
  return {
    name: "podman", peer: true,
    pull: (image) => [...engine, "pull", "-q", "--tls-verify=false", image],
    load: (archive) => [...engine, "load", "-q", "-i", archive],
    save: (image, archive) => ["sh", "-c", `rm -f ${archive}; ${engine.join(" ")} save -q -o ${archive} ${image}`],
    push: (image) => [...engine, "push", "-q", "--tls-verify=false", image],
    tag: (image, name) => [...engine, "tag", image, name],
    run: (container, image, script) =>
      [...engine, "run", "--name", container, "--network", "none", ...limits, image, "sh", "-c", script],
    commit: (container, image) => [...engine, "commit", "-q", container, image],
    removeContainer: (container) => [...engine, "rm", container],
    forgetImages: putAside(at("root"))
  }
}

const docker = (): ImageTool => ({
  name: "docker", peer: false,
  pull: (image) => ["docker", "pull", "-q", image],
  load: (archive) => ["docker", "load", "-q", "-i", archive],
  save: (image, archive) => ["docker", "save", "-o", archive, image],
  push: (image) => ["docker", "push", "-q", image],
  tag: (image, name) => ["docker", "tag", image, name],
  run: (container, image, script) => ["docker", "run", "--name", container, "--network", "none", image, "sh", "-c", script],
  commit: (container, image) => ["docker", "commit", container, image],
  removeContainer: (container) => ["docker", "rm", container],
  forgetImages: ["sh", "-c", "docker rmi -f $(docker images -q --filter reference=*/bench/*)"]
})

/** Ourselves, then whoever else is here. */
export const imageTools = (workspace: Workspace): ReadonlyArray<ImageTool> => [
  ours(workspace),
  ...(["podman", "conmon", "crun"].every(isInstalled) ? [podman(workspace)] : []),
  ...(hasDocker() ? [docker()] : [])
]

/** Whether a daemon answers, and not only a client. */
const hasDocker = (): boolean => existsSync("/var/run/docker.sock") && isInstalled("docker")
