/** A small btrfs file system in a file, mounted in a directory of its own below /tmp until it is disposed of. */
import { execFileSync, spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { unavailable } from "./RealEngine.ts"

const size = 1 << 30

const isThere = (program: string): boolean => spawnSync(program, ["--version"], { stdio: "ignore" }).error === undefined

/** Why there can be none, or undefined. */
export const withoutBtrfs: string | undefined = unavailable ??
  (!readFileSync("/proc/filesystems", "utf8").split("\n").some((line) => line.trim() === "btrfs")
    ? "this kernel has no btrfs"
    : !isThere("mkfs.btrfs")
    ? "needs mkfs.btrfs: apt-get install btrfs-progs"
    : undefined)

export class BtrfsDisk {
  /** Nothing is there before it is mounted. */
  readonly path: string
  private readonly directory: string
  private static made = 0

  constructor() {
    this.directory = `/tmp/fx-disk-${process.pid}-${BtrfsDisk.made++}`
    this.path = join(this.directory, "mounted")
  }

  mount(): void {
    mkdirSync(this.path, { recursive: true })
    const file = join(this.directory, "file")
    writeFileSync(file, "")
    truncateSync(file, size)
    execFileSync("mkfs.btrfs", ["--quiet", file])
    // The loop device goes with its mount
    execFileSync("mount", ["-o", "loop", file, this.path])
  }

  dispose(): void {
    spawnSync("umount", [this.path], { stdio: "inherit" })
    rmSync(this.directory, { recursive: true })
  }
}
