/** Limits that are in force, bite, and can be changed. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { cgroupDirectory } from "../../../src/domain/cgroup/CgroupPath.ts"
import type { Controller } from "../../../src/domain/cgroup/Controller.ts"
import type { ResourceConfig } from "../../../src/domain/container/ContainerConfig.ts"
import type { ContainerError } from "../../../src/domain/container/ContainerError.ts"
import { cgroupParent } from "../../../src/domain/container/Paths.ts"
import { Engine } from "../../../src/programs/Engine.ts"
import { Host } from "../../../src/programs/Host.ts"
import { perform } from "../../../src/programs/Kernel.ts"
import { config, idle, output, ran, refusal, script, started } from "../container.ts"
import { type Ground, law } from "../Ground.ts"

const mebibyte = 1024 * 1024

/** A limit by the names of both hierarchies, and its text in each. */
interface Limit {
  readonly controller: Controller
  readonly v1: readonly [file: string, text: string]
  readonly v2: readonly [file: string, text: string]
}

const limits = (
  memory: number, pids: number, cpus: number
): ReadonlyArray<Limit> => [
  {
    controller: "memory", v1: ["memory.limit_in_bytes", String(memory)], v2: ["memory.max", String(memory)]
  },
  { controller: "pids", v1: ["pids.max", String(pids)], v2: ["pids.max", String(pids)] },
  {
    controller: "cpu", v1: ["cpu.cfs_quota_us", String(cpus * 100_000)], v2: ["cpu.max", `${cpus * 100_000} 100000`]
  }
]

/** What a container's control files say of some limits. */
const inForce = Effect.fnUntraced(function*(ground: Ground, id: string, wanted: ReadonlyArray<Limit>) {
  const { layout } = yield* (yield* Host).facts
  const found: Array<string> = []
  for (const { controller, v1, v2 } of wanted) {
    const home = layout.controllers[controller]!
    const [file] = home.version === 1 ? v1 : v2
    const directory = cgroupDirectory(home, `${cgroupParent(ground.paths)}/${id}`)
    found.push(`${file} ${(yield* perform("CgroupRead", { directory, files: [file] }))[file]?.trim()}`)
  }
  return found
})

const expected = Effect.fnUntraced(function*(wanted: ReadonlyArray<Limit>) {
  const { layout } = yield* (yield* Host).facts
  return wanted.map(({ controller, v1, v2 }) => (layout.controllers[controller]!.version === 1 ? v1 : v2).join(" "))
})

export const limitLaws = (ground: Ground): void => {
  const resources = (memory: number, pids: number, cpus: number): ResourceConfig => ({
    memory, pidsLimit: pids, nanoCpus: cpus * 1e9
  })

  law(ground, "the limits that are asked for are in force, and change with an update", Effect.gen(function*() {
    const engine = yield* Engine
    const first = limits(64 * mebibyte, 30, 0.5)
    const id = yield* started(idle(ground, { resources: resources(64 * mebibyte, 30, 0.5) }))
    assert.deepStrictEqual(yield* inForce(ground, id, first), yield* expected(first))
    const second = limits(32 * mebibyte, 20, 1)
    yield* engine.update(id, { resources: { ...resources(32 * mebibyte, 20, 1), memorySwap: 64 * mebibyte } })
    assert.deepStrictEqual(yield* inForce(ground, id, second), yield* expected(second))
    yield* engine.restart(id, { timeout: 0 })
    assert.deepStrictEqual(yield* inForce(ground, id, second), yield* expected(second))
    const { HostConfig } = yield* engine.inspect(id)
    assert.deepStrictEqual([HostConfig.Memory, HostConfig.PidsLimit, HostConfig.NanoCpus], [32 * mebibyte, 20, 1e9])
  }))

  law(ground, "an update of what does not run is in force at its start", Effect.gen(function*() {
    const engine = yield* Engine
    const { id } = yield* engine.create(idle(ground), "")
    yield* engine.update(id, { resources: resources(48 * mebibyte, 40, 1) })
    yield* engine.start(id)
    const wanted = limits(48 * mebibyte, 40, 1)
    assert.deepStrictEqual(yield* inForce(ground, id, wanted), yield* expected(wanted))
  }))

  law(ground, "a limit that makes no sense is refused, and what was there stays", Effect.gen(function*() {
    const engine = yield* Engine
    assert.strictEqual((yield* refusal(engine.create(idle(ground, { resources: { memory: 1000 } }), ""))).kind, "invalid")
    assert.strictEqual((yield* refusal(engine.create(idle(ground, { resources: { cpusetCpus: "9999" } }), ""))).kind, "invalid")
    const id = yield* started(idle(ground, { resources: resources(64 * mebibyte, 30, 1) }))
    const before = (yield* engine.inspect(id)).HostConfig
    assert.strictEqual((yield* refusal(engine.update(id, { resources: { memory: 1000 } }))).kind, "invalid")
    assert.deepStrictEqual((yield* engine.inspect(id)).HostConfig, before)
    const wanted = limits(64 * mebibyte, 30, 1)
    assert.deepStrictEqual(yield* inForce(ground, id, wanted), yield* expected(wanted))
  }))

  law(ground, "a limit that the kernel refuses is told by its option, with the cause and a cure", Effect.gen(function*() {
    const engine = yield* Engine
    const { id, name } = yield* engine.create(idle(ground, { resources: { pidsLimit: 5_000_000 } }), "greedy")
    const told = (error: ContainerError) => [error.operation, error.object, error.kind, error.message]
    const sentence = "the kernel refuses --pids-limit 5000000 (pids.max: invalid argument): " +
      "no more than 4194304 processes can be: ask for less, or -1 for no limit"
    assert.deepStrictEqual(told(yield* refusal(engine.start(id))), ["start", name, "failed", sentence])
    assert.include((yield* engine.inspect(id)).State.Error, "--pids-limit 5000000")
    yield* engine.update(id, { resources: { pidsLimit: 20 } })
    yield* engine.start(id)
    const update = engine.update(id, { resources: { pidsLimit: 5_000_000 } })
    assert.deepStrictEqual(told(yield* refusal(update)), ["update", name, "failed", sentence])
    assert.strictEqual((yield* engine.inspect(id)).HostConfig.PidsLimit, 20)
  }))

  law(ground, "whoever uses more memory than it may is killed: 137, and the engine says why", Effect.gen(function*() {
    const engine = yield* Engine
    const greedy = config(ground, ["dd", "if=/dev/zero", "of=/dev/null", "bs=100M", "count=1"], {
      resources: { memory: 16 * mebibyte, memorySwap: 16 * mebibyte }
    })
    const id = yield* started(greedy)
    assert.deepStrictEqual(yield* engine.wait(id), { code: 137, signal: 9, oomKilled: true })
    const { State } = yield* engine.inspect(id)
    assert.deepStrictEqual([State.OOMKilled, State.ExitCode], [true, 137])
    const modest = { ...greedy, resources: { memory: 256 * mebibyte, memorySwap: 256 * mebibyte } }
    assert.deepStrictEqual((yield* ran(modest)).exit, { code: 0, signal: 0, oomKilled: false })
  }))

  law(ground, "a child that is killed for its memory leaves the container running", Effect.gen(function*() {
    const outcome = yield* ran(script(ground, "dd if=/dev/zero of=/dev/null bs=100M count=1; echo $?", {
      resources: { memory: 16 * mebibyte, memorySwap: 16 * mebibyte }
    }))
    assert.deepStrictEqual([outcome.exit?.code, outcome.stdout], [0, "137\n"])
    assert.strictEqual(outcome.exit?.oomKilled, true)
  }))

  law(ground, "more processes than are allowed cannot be started", Effect.gen(function*() {
    const source = "for i in 1 2 3 4 5 6 7 8 9; do sleep 1000 & done; echo all"
    const outcome = yield* ran(script(ground, source, { resources: { pidsLimit: 5 } }))
    assert.deepStrictEqual(
      [outcome.exit?.code, outcome.stdout, outcome.stderr], [2, "", "sh: can't fork: Resource temporarily unavailable\n"]
    )
    assert.strictEqual((yield* ran(script(ground, source, { resources: { pidsLimit: 50 } }))).stdout, "all\n")
  }))

  law(ground, "limits of resources are the program's own", Effect.gen(function*() {
    const ulimits = [{ name: "nofile", soft: 100, hard: 200 }, { name: "core", soft: 0, hard: 0 }]
    const seen = yield* output(script(ground, "cat /proc/self/limits | grep core; cat /proc/self/limits | grep 'open files'", { ulimits }))
    const rows = seen.trim().split("\n").map((row) => row.replace(/\s+/g, " ").trim())
    assert.deepStrictEqual(rows, ["Max core file size 0 0 bytes", "Max open files 100 200 files"])
  }))
}
