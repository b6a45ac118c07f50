/** The interpreter on the real kernel: every operation by the handler of its family, batches by the addon. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Interpreter, Kernel } from "../../programs/Kernel.ts"
import { archives } from "./archives.ts"
import { performAll } from "./batch.ts"
import { blobs } from "./blobs.ts"
import { cgroups } from "./cgroups.ts"
import { fileLooks, files } from "./files.ts"
import { copies } from "./copies.ts"
import { growingFiles } from "./growingFiles.ts"
import { host } from "./host.ts"
import { layers } from "./layers.ts"
import { locks } from "./locks.ts"
import { performEach } from "./looks.ts"
import { type LinuxOptions, Machine } from "./Machine.ts"
import { processes, processLooks } from "./processes.ts"
import { records } from "./records.ts"
import { roots } from "./roots.ts"
import { trees } from "./trees.ts"

export type { LinuxOptions } from "./Machine.ts"

/** All handlers over one machine. */
export const interpreter = (machine: Machine): Interpreter => ({
  ...host,
  ...files(machine),
  ...copies(machine),
  ...growingFiles,
  ...locks(machine),
  ...cgroups(machine),
  ...processes(machine),
  ...roots(machine),
  ...archives(machine),
  ...layers(machine),
  ...trees(machine),
  ...blobs(machine),
  ...records(machine)
})

/**
 * The kernel of this host. Nothing is opened before the first operation needs it, and what is open (channels,
 * locks, archives, blobs, the records) is closed with the layer. A missing addon makes operations fail with ELIBBAD.
 */
export const layer = (options: LinuxOptions): Layer.Layer<Kernel> =>
  Layer.effect(
    Kernel,
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => new Machine(options)),
        (machine) => Effect.sync(() => machine.closeAll())
      ),
      (machine) => {
        const handlers = interpreter(machine)
        const looks = { ...fileLooks, ...processLooks(machine) }
        return Kernel.make(handlers, {
          performAll: performAll(machine, handlers), performEach: performEach(looks, handlers)
        })
      }
    )
  )
