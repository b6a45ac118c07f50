import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { Engine } from "../../src/programs/Engine.ts"
import { RealEngine, titled, unavailable } from "./RealEngine.ts"

describe.skipIf(unavailable !== undefined)(titled("exec into a container with a user namespace"), () => {
  const real = new RealEngine()
  beforeAll(() => void real.make())
  afterAll(() => real.dispose())

  it("has streams that its own users may open again: pipes and terminals, root and another", async () => {
    await real.run(Effect.gen(function*() {
      const engine = yield* Engine
      const { id } = yield* engine.create(real.config(["sleep", "1000"], { usernsMode: "private" }), "")
      yield* engine.start(id)
      const said = (script: string, user: string, tty: boolean) =>
        Effect.scoped(Effect.gen(function*() {
          const pieces = { stdout: "", stderr: "" }
          const session = yield* engine.exec(id, {
            command: ["sh", "-c", script], env: [], user, workingDirectory: "/", tty, consoleSize: [0, 0],
            stdin: !tty, privileged: false, attach: tty ? 3 : 7
          })
          yield* session.run({
            input: tty ? undefined : Stream.succeed(new TextEncoder().encode("in\n")),
            sizes: Stream.never, detached: Effect.never,
            output: (stream, data) => Effect.sync(() => void (pieces[stream] += new TextDecoder().decode(data)))
          })
          return pieces
        }))
      const reopen = "cat < /proc/self/fd/0; echo out > /proc/self/fd/1; echo err > /proc/self/fd/2"
      for (const [user, uid] of [["root", 0], ["alice", 1000]] as const) {
        assert.deepStrictEqual(yield* said(reopen, user, false), { stdout: "in\nout\n", stderr: "err\n" })
        const { stdout } = yield* said("stat -c %u $(tty); echo out > $(tty)", user, true)
        assert.strictEqual(stdout, `${uid}\r\nout\r\n`)
      }
      yield* engine.remove(id, { force: true })
    }))
  })
})
