/** Every operation of every command fails with every errno it may give: nothing leaks and no name is stuck. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { faulty, possibleErrnos, possibleInitErrnos, runtimeFor, simulate, type World } from "../../src/testing/index.ts"
import type { InitTag } from "../../src/domain/kernel/InitOp.ts"
import type { KernelTag } from "../../src/domain/kernel/KernelOp.ts"
import { bootedHost, cleanUp, commands, kernelOf, left, on, onEngine, operationsOf, run } from "./SimulatedEngine.ts"

/** After a command that failed anywhere: another engine finds all in order, and removal leaves the host as it was. */
const expectClean = async (boot: World, world: World, what: string): Promise<void> => {
  const simulation = simulate({ world })
  const found = await on(simulation, cleanUp).catch((error: unknown) => assert.fail(`${what}, then: ${error}`))
  assert.deepStrictEqual(found.quarantined, [], what)
  assert.deepStrictEqual(found.disagreements, [], what)
  for (const state of found.states) assert.include(["created", "running", "exited", "paused"], state, what)
  assert.deepStrictEqual(left(boot, simulation), [], what)
}

/** close(2) lets go whatever it returns: such a fault comes after the effect. */
const closing = new Set<KernelTag>(["LockRelease", "ChannelClose", "ArchiveClose"])

for (const cgroups of ["v1", "v2", "hybrid"] as const) {
  describe(`with a fault at any operation, on cgroup ${cgroups}`, () => {
    for (const { command, name, prepare } of commands) {
      it(`${name} leaks nothing`, { timeout: 600_000 }, async () => {
        const host = await bootedHost(1, cgroups)
        const boot = host.world
        await on(host, prepare)
        const prepared = host.world
        const tags = await operationsOf(prepared, command)
        assert.isAbove(tags.length, 2)
        for (const [at, tag] of tags.entries()) {
          // One errno an operation on the older hierarchies: the programs do not tell them apart
          const errnos = cgroups === "v2" ? possibleErrnos[tag] : possibleErrnos[tag].slice(0, 1)
          for (const errno of errnos) {
            for (const when of closing.has(tag) ? ["after" as const] : ["before" as const, "after" as const]) {
              const simulation = simulate({ world: prepared })
              const what = `${name}: ${tag}, operation ${at}, ${errno}, ${when} its effect`
              const faults = [faulty([{ at, errno, when, times: 1 }])]
              await runtimeFor(simulation).run(onEngine(kernelOf(simulation, faults), Effect.exit(command)))
                .catch((error: unknown) => assert.fail(`${what}: ${error}`))
              await expectClean(boot, simulation.world, what)
            }
          }
        }
      })
    }
  })
}

/** What a plain container's program holds: a fault at one of these must be noticed. */
const performed: ReadonlySet<InitTag> = new Set<InitTag>([
  "OomScoreAdjust", "NamespaceUnshare", "MountPropagation", "RootOverlay", "PivotRoot", "MountFilesystem", "MountDevpts",
  "NodeMake", "SymlinkMake", "MountTree", "TreeOpen", "Hostname", "LoopbackUp", "Sysctl", "MaskPaths", "ReadonlyPaths",
  "MountAttributes", "Keyring", "WorkingDirectory", "BoundingSet", "Seccomp", "User", "Capabilities", "Exec"
])

describe("with a fault inside the starting container", () => {
  for (const [tag, errnos] of Object.entries(possibleInitErrnos) as Array<[InitTag, ReadonlyArray<string>]>) {
    it(`at ${tag} a run leaks nothing`, async () => {
      const host = await bootedHost(2)
      const boot = host.world
      for (const errno of errnos) {
        const simulation = simulate({ world: boot, initFaults: [{ operation: tag, occurrence: 0, errno }] })
        const exit = await on(simulation, Effect.exit(run(["true"])))
        assert.strictEqual(Exit.isFailure(exit), performed.has(tag), `${tag}: ${errno}`)
        await expectClean(boot, { ...simulation.world, initFaults: [] }, `${tag}: ${errno}`)
      }
    })
  }
})
