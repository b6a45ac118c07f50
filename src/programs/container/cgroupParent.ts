/** Makes the cgroup parent of containers where it is missing, and reads what its children inherit. */
import * as Effect from "effect/Effect"
import { type ControlTexts, parentOps } from "../../domain/container/cgroupPlan.ts"
import { cgroupDirectory } from "../../domain/cgroup/CgroupPath.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { Host } from "../Host.ts"
import { type Kernel, perform, performAll } from "../Kernel.ts"

/** v1 cpusets of a parent and its ancestors, up to the root. */
export const cpusetTexts = Effect.fnUntraced(function*(
  parent: string
): Effect.fn.Return<ControlTexts, KernelError, Kernel | Host> {
  const { layout } = yield* (yield* Host).facts
  const home = layout.controllers.cpuset
  if (home === undefined || home.version === 2) return {}
  const texts: Record<string, { readonly [file: string]: string }> = {}
  for (let path = parent;; path = path.slice(0, path.lastIndexOf("/"))) {
    const directory = cgroupDirectory(home, path)
    texts[directory] = yield* perform("CgroupRead", { directory, files: ["cpuset.cpus", "cpuset.mems"] })
    if (path === "") return texts
  }
})

export const ensureParent = Effect.fnUntraced(function*(
  parent: string
): Effect.fn.Return<void, KernelError, Kernel | Host> {
  const host = yield* Host
  if ((yield* host.interfaceFiles(parent)) !== undefined) return
  const { layout } = yield* host.facts
  yield* performAll(parentOps(layout, parent, yield* cpusetTexts(parent)))
})
