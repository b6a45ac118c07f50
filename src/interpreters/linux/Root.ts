/** A root file system opened to be looked into or written to: see RootSource. */
import { closeSync, constants, openSync } from "node:fs"
import type { RootSource } from "../../domain/kernel/KernelOp.ts"
import { valueOf } from "./attempt.ts"
import type { Machine, Open } from "./Machine.ts"

/** open(2), O_PATH: the same number on every architecture (asm-generic/fcntl.h); Node does not name it. */
const O_PATH = 0o10000000

export class Root implements Open {
  /** Whether somebody else's processes live in it: its files may then hang, and are read on pool threads. */
  readonly isLive: boolean
  private fd: number
  private readonly cleanUp: () => void

  private constructor(fd: number, isLive: boolean, cleanUp: () => void) {
    this.fd = fd
    this.isLive = isLive
    this.cleanUp = cleanUp
  }

  /** Throws for `attempt`. A writable one of layers needs their `upper`. */
  static open({ addon }: Machine, source: RootSource, access: "read" | "write"): Root {
    if (source._tag === "Process") {
      const { pid, startTime } = source.process
      return new Root(valueOf(addon.processRoot(pid, startTime)), true, () => {})
    }
    if (source._tag === "Directory") {
      return new Root(openSync(source.path, O_PATH | constants.O_DIRECTORY), false, () => {})
    }
    const { lower, upper, work } = source
    if (access === "write" && upper !== "") {
      const fd = valueOf(addon.layersRoot(lower, upper, work))
      return new Root(fd, false, () => addon.clearVolatile(work))
    }
    // To be read, the upper directory is just one layer more: no work directory, nothing to write back.
    const layers = upper === "" ? lower : [upper, ...lower]
    return new Root(valueOf(addon.layersRoot(layers, "", "")), false, () => {})
  }

  get descriptor(): number {
    return this.fd
  }

  close(): void {
    if (this.fd < 0) return
    closeSync(this.fd)
    this.fd = -1
    this.cleanUp()
  }
}
