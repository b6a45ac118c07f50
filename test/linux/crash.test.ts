/**
 * The engine killed, by SIGKILL, before and after every operation of a command: recovery leaves nothing behind.
 * `FX_CRASH_EVERY=3` takes only every third operation, others before than after, and the titles say so.
 */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { build } from "rolldown"
import { Engine } from "../../src/programs/Engine.ts"
import { patience, RealEngine, titled, unavailable } from "./RealEngine.ts"

/** No command has so many operations: a sweep that comes this far does not end by itself. */
const limit = 200

/** Beside the built command: from there the addon is found. */
const bundle = join(import.meta.dirname, "../../dist/crashingEngine.mjs")

/** Operations from one crash to the next. */
const stride = Number(process.env["FX_CRASH_EVERY"] ?? 1)

const sweep = stride === 1 ? "every operation" : `every operation in ${stride}`

/** States in which a user may find the container after the crash; nothing in between. */
const wholeStates = ["created", "running", "exited"]

describe.skipIf(unavailable !== undefined)(titled(`an engine killed at ${sweep}`), () => {
  const real = new RealEngine()
  beforeAll(() => void real.make())
  afterAll(() => real.dispose())

  // Hundreds of engines are started: as one file each does it in a fifth of the time
  beforeAll(() =>
    build({
      input: join(import.meta.dirname, "crashingEngine.ts"), platform: "node", logLevel: "silent",
      output: { file: bundle, codeSplitting: false }
    }))

  /** Loads an engine that will crash there. `run`: lets it begin; whether it did crash. `close`: it is not needed. */
  const crasher = (command: string, index: number, when: string) => {
    const child = spawn(process.execPath, [bundle, real.directory, real.rootfs, command, String(index), when], {
      timeout: 60_000 * patience
    })
    let said = ""
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => { said += data.toString() })
    const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on("close", (_, signal) => resolve(signal)))
    return {
      run: async (): Promise<boolean> => {
        child.stdin.end("!")
        const signal = await ended
        assert.isTrue(signal === "SIGKILL" || said === "done\n", `${command} ${index} ${when}: ${signal} ${said}`)
        return signal === "SIGKILL"
      },
      close: (): Promise<unknown> => {
        child.stdin.end()
        return ended
      }
    }
  }

  /** What a user would do next, and what must hold then. */
  const recovered = (what: string) =>
    Effect.gen(function*() {
      const engine = yield* Engine
      assert.deepStrictEqual(yield* engine.check({ repair: false }), [], `${what}: records and kernel disagree`)
      for (const { record, state } of yield* engine.list) {
        assert.include(wholeStates, state.name, what)
        yield* engine.remove(record.id, { force: true })
      }
      // The name is free again
      const { id } = yield* engine.create(real.config(["true"]), "victim")
      yield* engine.remove(id, { force: false })
    })

  for (const command of ["run", "stop", "exec", "rm"]) {
    it(`of ${command} leaves nothing behind`, { timeout: 600_000 * patience }, async () => {
      // An engine has been started here once: its directories are there
      await real.run(Effect.void)
      for (const when of ["before", "after"]) {
        let index = when === "before" ? 0 : Math.floor(stride / 2)
        let next = crasher(command, index, when)
        for (;;) {
          const engine = next
          next = crasher(command, index + stride, when)
          if (!await engine.run()) break
          const what = `${command}, ${when} operation ${index}`
          await real.run(recovered(what))
          assert.deepStrictEqual(real.leftovers(), [], what)
          index += stride
          assert.isBelow(index, limit)
        }
        await next.close()
        assert.isAbove(index, 2, `${command} has hardly any operations`)
        await real.run(recovered(`${command}, whole`))
      }
    })
  }
})
