/** Users and groups by the files of a container's root, whatever a stranger has put there. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { Engine } from "../../../src/programs/Engine.ts"
import { perform } from "../../../src/programs/Kernel.ts"
import { executed, idle, refusal, script, started, told } from "../container.ts"
import { type Ground, law } from "../Ground.ts"

/** What may have the name of a file that cannot be read, and how it is made. */
const kinds: ReadonlyArray<readonly [what: string, make: string, reason: RegExp]> = [
  ["a directory", "mkdir /etc/passwd", /it is a directory/],
  ["a fifo", "mkfifo /etc/passwd", /no regular file/],
  ["a device", "mknod /etc/passwd c 1 3", /no regular file/],
  ["a circle of links", "ln -s passwd /etc/passwd", /round and round/],
  ["more than such a file may have", "dd if=/dev/zero of=/etc/passwd bs=65536 count=17 2> /dev/null", /more than/]
]

export const accountLaws = (ground: Ground): void => {
  for (const [what, make, reason] of kinds) {
    law(ground, `where a file of accounts should be ${what} counts as none, unless a name is looked up`, Effect.gen(function*() {
      const engine = yield* Engine
      const source = `echo run >> /runs; rm -rf /etc/passwd; ${make}; exit $(wc -l < /runs)`
      const { id } = yield* engine.create(script(ground, source), "")
      const numeric = yield* engine.create(script(ground, source, { user: "0:0" }), "")
      for (const code of [1, 2]) {
        for (const one of [id, numeric.id]) {
          yield* engine.start(one)
          assert.strictEqual((yield* engine.wait(one)).code, code)
        }
      }
      const running = yield* started(idle(ground))
      yield* told(running, `rm -rf /etc/passwd; ${make}`)
      const plain = yield* executed(running, ["grep", "-E", "^[UG]id", "/proc/self/status"], { user: "7:8" })
      assert.strictEqual(plain.stdout, "Uid:\t7\t7\t7\t7\nGid:\t8\t8\t8\t8\n")
      const error = yield* refusal(executed(running, ["true"], { user: "alice" }))
      assert.deepStrictEqual([error.operation, error.kind], ["exec", "invalid"])
      assert.match(error.cause, /unable to find user alice/)
      assert.match(error.cause, reason)
    }))
  }

  law(ground, "a name is not looked up in a directory, and what is wrong is told", Effect.gen(function*() {
    const engine = yield* Engine
    for (const [wish, name] of [[{ user: "alice" }, "passwd"], [{ user: "0", groupAdd: ["staff"] }, "group"]] as const) {
      const rootfs = `${ground.scratch}/without-${name}`
      yield* perform("TreeCopy", { from: ground.rootfs, to: rootfs })
      yield* perform("FileRemove", { path: `${rootfs}/etc/${name}` })
      yield* perform("DirMake", { path: `${rootfs}/etc/${name}`, mode: 0o755 })
      const { id } = yield* engine.create(script(ground, "true", { ...wish, rootfs }), "")
      const error = yield* refusal(engine.start(id))
      assert.deepStrictEqual([error.operation, error.kind], ["start", "invalid"])
      assert.include(error.cause, `/etc/${name} of the container could not be read: it is a directory`)
      assert.include(error.cure, "by their numbers")
    }
  }))

  law(ground, "a link into proc is no file of accounts", Effect.gen(function*() {
    const engine = yield* Engine
    const running = yield* started(idle(ground))
    yield* told(running, "rm /etc/group; ln -s /proc/1/status /etc/group")
    assert.strictEqual((yield* executed(running, ["sh", "-c", "id -g"], { user: "0:9" })).stdout, "9\n")
    assert.match((yield* refusal(executed(running, ["true"], { user: "0:wheel" }))).cause, /no regular file/)
    yield* engine.kill(running, 9)
    yield* engine.wait(running)
    // Nothing is mounted where the link leads to while it does not run
    yield* engine.start(running)
    assert.strictEqual((yield* engine.find("inspect", running)).state.name, "running")
  }))
}
