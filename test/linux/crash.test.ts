/** The engine killed, by SIGKILL, before and after every operation of a command: recovery leaves nothing behind. */
import { spawnSync } from "node:child_process"
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

/** States in which a user may find the container after the crash; nothing in between. */
const wholeStates = ["created", "running", "exited"]

describe.skipIf(unavailable !== undefined)(titled("an engine killed at every operation"), () => {
  const real = new RealEngine()
  afterAll(() => real.dispose())

  // Hundreds of engines are started: as one file each does it in a fifth of the time
  beforeAll(() =>
    build({
      input: join(import.meta.dirname, "crashingEngine.ts"), platform: "node", logLevel: "silent",
      output: { file: bundle, codeSplitting: false }
    }))

  const crashAt = (command: string, index: number, when: string): boolean => {
    const child = spawnSync(process.execPath, [
      bundle, real.directory, real.rootfs, command, String(index), when
    ], { encoding: "utf8", timeout: 30_000 * patience })
    assert.isTrue(child.signal === "SIGKILL" || child.stdout === "done\n", `${command} ${index} ${when}: ${child.stdout}${child.stderr}`)
    return child.signal === "SIGKILL"
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
        let index = 0
        while (crashAt(command, index, when)) {
          const what = `${command}, ${when} operation ${index}`
          await real.run(recovered(what))
          assert.deepStrictEqual(real.leftovers(), [], what)
          assert.isBelow(++index, limit)
        }
        assert.isAbove(index, 2, `${command} has hardly any operations`)
        await real.run(recovered(`${command}, whole`))
      }
    })
  }
})
