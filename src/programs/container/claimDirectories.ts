/**
 * A root and an exec-root belong together: locks, status files and sockets of a root's containers are in its exec-root, and
 * what is unknown there is taken for rubbish. So no engine goes on with another pair.
 */
import * as Effect from "effect/Effect"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import * as Paths from "../../domain/container/Paths.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import { type KernelOp, op } from "../../domain/kernel/KernelOp.ts"
import { Host } from "../Host.ts"
import type { Kernel } from "../Kernel.ts"
import { readIfPresent } from "./observation.ts"

const refused = (object: string, cause: string, cure: string): ContainerError =>
  new ContainerError({ operation: "use", object, kind: "conflict", cause, cure })

/**
 * What makes the claim known, to be performed when both directories are there: one that is refused has made nothing. A reboot
 * frees a root of the exec-root that it had.
 */
export const claimDirectories: Effect.Effect<
  ReadonlyArray<KernelOp>, KernelError | ContainerError, Kernel | Host
> = Effect.gen(function*() {
  const claims: Array<KernelOp> = []
  const { facts, paths } = yield* Host
  const { execRoot, root } = paths
  const owner = yield* readIfPresent(Paths.ownerFile(execRoot))
  if (owner !== undefined && owner !== `${root}\n`) {
    return yield* refused(
      execRoot, `this exec-root is that of the root ${owner.trimEnd()}, not of ${root}`,
      "give each root an --exec-root of its own"
    )
  }
  const file = Paths.execRootFile(paths)
  const wanted = `${(yield* facts).texts.bootId} ${execRoot}\n`
  const claim = yield* readIfPresent(file)
  if (claim !== wanted) {
    const [boot = "", ...words] = claim?.trimEnd().split(" ") ?? []
    const other = words.join(" ")
    const isHeld = wanted.startsWith(`${boot} `) && (yield* readIfPresent(Paths.ownerFile(other))) === `${root}\n`
    if (isHeld) {
      return yield* refused(
        root, `this root is in use with the exec-root ${other}, not with ${execRoot}`,
        `give --exec-root ${other}; or stop its containers, remove that directory, and try again`
      )
    }
    claims.push(op("FileWrite", { path: file, mode: 0o644, text: wanted }))
  }
  if (owner === undefined) claims.push(op("FileWrite", { path: Paths.ownerFile(execRoot), mode: 0o644, text: `${root}\n` }))
  return claims
})
