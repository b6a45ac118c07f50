/** Input, output and terminals of containers, and the log of what they wrote. */
import { assert } from "@effect/vitest"
import { Clock, Effect, Fiber, Stream } from "effect"
import { logFile } from "../../../src/domain/container/Paths.ts"
import { Engine } from "../../../src/programs/Engine.ts"
import { perform } from "../../../src/programs/Kernel.ts"
import {
  bytes, config, eventually, everything, follow, logged, output, ran, refusal, script, started, stateOf, untilLogged
} from "../container.ts"
import { type Ground, law } from "../Ground.ts"

const lines = (count: number): string => Array.from({ length: count }, (_, index) => `${index + 1}\n`).join("")

export const streamLaws = (ground: Ground): void => {
  law(ground, "what a container writes comes whole and in order, each stream by itself", Effect.gen(function*() {
    const { exit, stderr, stdout } = yield* ran(script(ground, "for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; done"))
    assert.strictEqual(exit?.code, 0)
    assert.strictEqual(stdout, [1, 2, 3, 4, 5].map((i) => `out ${i}\n`).join(""))
    assert.strictEqual(stderr, [1, 2, 3, 4, 5].map((i) => `err ${i}\n`).join(""))
  }))

  law(ground, "ten thousand lines come unharmed", Effect.gen(function*() {
    assert.strictEqual(yield* output(config(ground, ["seq", "10000"])), lines(10_000))
  }))

  law(ground, "what is given to a container comes out of it", Effect.gen(function*() {
    const input = lines(5000)
    assert.strictEqual(yield* output(config(ground, ["cat"]), input), input)
  }))

  law(ground, "the end of the input is the end of the container's", Effect.gen(function*() {
    assert.strictEqual((yield* output(config(ground, ["wc", "-l"]), "a\nb\nc\n")).trim(), "3")
    assert.strictEqual((yield* output(config(ground, ["wc", "-c"]), "")).trim(), "0")
  }))

  law(ground, "without an open input it is at its end from the start", Effect.gen(function*() {
    assert.strictEqual((yield* output(config(ground, ["wc", "-c"]))).trim(), "0")
  }))

  law(ground, "an attached client misses nothing, one that comes later gets what follows", Effect.gen(function*() {
    const engine = yield* Engine
    const source = "echo early; while read line; do echo got $line; done; exit 3"
    const { id } = yield* engine.create(script(ground, source, { openStdin: true }), "")
    const first = yield* engine.startAttached(id, everything)
    const reading = yield* Effect.forkScoped(follow(first))
    yield* untilLogged(ground, id, "early")
    const late = yield* engine.attach(id, everything)
    const outcome = yield* follow(late, Stream.make(bytes("one\n"), bytes("two\n")))
    assert.deepStrictEqual(outcome, { exit: { code: 3, signal: 0, oomKilled: false }, stdout: "got one\ngot two\n", stderr: "" })
    assert.strictEqual((yield* Fiber.join(reading)).stdout, "early\ngot one\ngot two\n")
  }))

  law(ground, "a client that leaves does not end the container", Effect.gen(function*() {
    const engine = yield* Engine
    const { id } = yield* engine.create(script(ground, "while read line; do echo $line; done", { openStdin: true }), "")
    const { run } = yield* engine.startAttached(id, everything)
    const ending = yield* run({ input: undefined, sizes: Stream.never, detached: Effect.sleep("20 millis"), output: () => Effect.void })
    assert.strictEqual(ending._tag, "Detached")
    assert.strictEqual(yield* stateOf(id), "running")
  }))

  law(ground, "nobody attaches to what does not run", Effect.gen(function*() {
    const engine = yield* Engine
    const { id } = yield* engine.create(config(ground, ["true"]), "")
    assert.strictEqual((yield* refusal(Effect.scoped(engine.attach(id, everything)))).kind, "conflict")
  }))

  law(ground, "a terminal joins both streams and ends lines as terminals do", Effect.gen(function*() {
    const { exit, stderr, stdout } = yield* ran(script(ground, "tty; echo out; echo err >&2; exit 2", { tty: true }))
    assert.deepStrictEqual([exit?.code, stdout, stderr], [2, "/dev/pts/0\r\nout\r\nerr\r\n", ""])
  }))

  law(ground, "the log has what was written, in order, also after the end and of every run", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(script(ground, "echo one; sleep 0.05; echo two >&2; sleep 0.05; printf three"))
    yield* engine.wait(id)
    const expected = ["stdout one", "stderr two", "stdout three"]
    assert.deepStrictEqual(yield* logged(id), expected)
    yield* engine.start(id)
    yield* engine.wait(id)
    assert.deepStrictEqual(yield* logged(id), [...expected, ...expected])
  }))

  law(ground, "the last lines of a log can be asked for", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(config(ground, ["seq", "20"]))
    yield* engine.wait(id)
    assert.deepStrictEqual(yield* logged(id, { tail: 3 }), ["stdout 18", "stdout 19", "stdout 20"])
    assert.deepStrictEqual(yield* logged(id, { tail: 0 }), [])
    assert.strictEqual((yield* logged(id, { tail: 100 })).length, 20)
  }))

  law(ground, "the lines of a log since and until a time can be asked for", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(script(ground, "echo early; read line; echo late", { openStdin: true }))
    yield* untilLogged(ground, id, "early")
    yield* Effect.sleep("20 millis")
    const between = yield* Clock.currentTimeNanos
    yield* Effect.sleep("20 millis")
    yield* follow(yield* engine.attach(id, everything), Stream.make(bytes("go\n")))
    assert.deepStrictEqual(yield* logged(id), ["stdout early", "stdout late"])
    assert.deepStrictEqual(yield* logged(id, { since: between }), ["stdout late"])
    assert.deepStrictEqual(yield* logged(id, { until: between }), ["stdout early"])
    assert.deepStrictEqual(yield* logged(id, { since: between, until: between }), [])
  }))

  law(ground, "a log can be followed to the container's end", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(script(ground, "for i in 1 2 3; do echo line $i; sleep 0.05; done; echo last >&2; exit 1"))
    const followed = yield* Effect.forkScoped(logged(id, { follow: true }))
    assert.strictEqual((yield* engine.wait(id)).code, 1)
    assert.deepStrictEqual(yield* Fiber.join(followed), ["stdout line 1", "stdout line 2", "stdout line 3", "stderr last"])
  }))

  law(ground, "following from the end on gives only what comes", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(script(ground, "echo old; while read line; do echo $line; done", { openStdin: true }))
    yield* untilLogged(ground, id, "old")
    const followed = yield* Effect.forkScoped(logged(id, { follow: true, tail: 0 }))
    yield* Effect.sleep(`${30 * ground.patience} millis`)
    const session = yield* engine.attach(id, everything)
    yield* follow(session, Stream.make(bytes("new\n")))
    yield* engine.kill(id, 9).pipe(Effect.ignore)
    assert.deepStrictEqual(yield* Fiber.join(followed), ["stdout new"])
  }))

  law(ground, "a log is rotated and keeps as many files as it may", Effect.gen(function*() {
    const engine = yield* Engine
    const log = { driver: "json-file", maxSize: 4000, maxFiles: 3 } as const
    const id = yield* started(config(ground, ["seq", "200"], { log }))
    yield* engine.wait(id)
    const kept = yield* logged(id)
    assert.isBelow(kept.length, 200)
    assert.isAbove(kept.length, 60)
    assert.deepStrictEqual(kept, Array.from({ length: kept.length }, (_, index) => `stdout ${201 - kept.length + index}`))
    const names = yield* perform("DirList", { path: `${ground.paths.root}/containers/${id}` })
    assert.deepStrictEqual(names.filter((name) => name.includes("json.log")), [`${id}-json.log`, `${id}-json.log.1`, `${id}-json.log.2`])
  }))

  law(ground, "with the driver none there is no log", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(script(ground, "echo lost", { log: { driver: "none", maxSize: 0, maxFiles: 1 } }))
    yield* engine.wait(id)
    assert.deepStrictEqual(yield* logged(id), [])
    const missing = yield* Effect.flip(perform("FileStat", { path: logFile(ground.paths, id), follow: false }))
    assert.strictEqual(missing.errno, "ENOENT")
  }))

  law(ground, "a line of the log longer than sixteen kilobytes is cut, and nothing of it is lost", Effect.gen(function*() {
    const engine = yield* Engine
    const source = "i=0; while test $i -lt 400; do printf '%0100d' $i; i=$((i+1)); done; echo"
    const id = yield* started(script(ground, source))
    yield* engine.wait(id)
    const pieces = (yield* logged(id)).map((line) => line.slice("stdout ".length))
    assert.isAbove(pieces.length, 1)
    for (const piece of pieces.slice(0, -1)) assert.strictEqual(piece.length, 16_384)
    assert.strictEqual(pieces.join(""), Array.from({ length: 400 }, (_, i) => String(i).padStart(100, "0")).join(""))
  }))

  law(ground, "the log can be read while the container writes", Effect.gen(function*() {
    const id = yield* started(script(ground, "echo first; sleep 1000"))
    yield* eventually(ground, logged(id), (now) => now.length === 1)
    assert.strictEqual(yield* stateOf(id), "running")
  }))
}
