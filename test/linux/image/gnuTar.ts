/** A layer's archive as GNU tar writes it of a directory: with all attributes, and times to the nanosecond. */
import { execFileSync } from "node:child_process"

export const gnuTar = (directory: string, ...options: ReadonlyArray<string>): Uint8Array =>
  execFileSync("tar", [
    "-C", directory, "--format=posix", "--xattrs", "--xattrs-include=*", "--numeric-owner", "--sort=name", ...options, "-c", "."
  ], { maxBuffer: 1 << 30 })
