/** Files: the layer of a container, its mounts, and copies in and out of it. */
import { assert } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import type { Mount } from "../../../src/domain/container/ContainerConfig.ts"
import { containerDirectory, upperDirectory } from "../../../src/domain/container/Paths.ts"
import { isFlat, writtenDirectory } from "../../../src/domain/layer/StorageDriver.ts"
import { Engine } from "../../../src/programs/Engine.ts"
import { perform } from "../../../src/programs/Kernel.ts"
import { encodeTree } from "../../differential/archive.ts"
import { config, idle, output, ran, script, started, told, untilLogged } from "../container.ts"
import { type Ground, law } from "../Ground.ts"

const bind = (source: string, target: string, readonly = false): Mount => ({
  _tag: "Bind", source, target, readonly, recursive: "enabled", propagation: "", createSource: false
})

const missing = <A, R>(effect: Effect.Effect<A, { readonly errno: string }, R>): Effect.Effect<void, never, R> =>
  Effect.map(Effect.exit(effect), (exit) => {
    const reason = exit._tag === "Failure" ? exit.cause.reasons[0] : undefined
    assert.strictEqual(reason?._tag === "Fail" ? reason.error.errno : exit._tag, "ENOENT")
  })

export const layerLaws = (ground: Ground): void => {
  if (!isFlat(ground.driver)) law(ground, "what a container writes goes to its own layer, not to the image", Effect.gen(function*() {
    const id = yield* started(script(ground, "echo new > /etc/new; rm /etc/group; echo changed > /etc/passwd; echo ready; sleep 1000"))
    yield* untilLogged(ground, id, "ready")
    const image = `${ground.rootfs}/etc`
    yield* missing(perform("FileStat", { path: `${image}/new`, follow: false }))
    assert.include(yield* perform("FileRead", { path: `${image}/group`, limit: 1000 }), "root")
    assert.include(yield* perform("FileRead", { path: `${image}/passwd`, limit: 1000 }), "root")
    const upper = upperDirectory(ground.paths, id)
    assert.strictEqual(yield* perform("FileRead", { path: `${upper}/etc/new`, limit: 1000 }), "new\n")
    const whiteout = yield* perform("FileStat", { path: `${upper}/etc/group`, follow: false })
    assert.deepStrictEqual([whiteout.type, whiteout.major, whiteout.minor], ["character", 0, 0])
  }))

  law(ground, "another container of the image sees nothing of it", Effect.gen(function*() {
    yield* ran(script(ground, "echo x > /mine; rm /etc/group"))
    assert.strictEqual(yield* output(script(ground, "test -e /mine || echo none; cat /etc/group | grep -c root")), "none\n1\n")
  }))

  law(ground, "a container finds again what it wrote before, at every start", Effect.gen(function*() {
    const engine = yield* Engine
    const { id } = yield* engine.create(script(ground, "echo x >> /count; exit $(wc -l < /count)"), "")
    for (const code of [1, 2, 3]) {
      yield* engine.start(id)
      assert.strictEqual((yield* engine.wait(id)).code, code)
    }
  }))

  law(ground, "its layer goes with the container, the image stays", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(script(ground, "mkdir -p /a/b; echo x > /a/b/c"))
    yield* engine.wait(id)
    yield* engine.remove(id, { force: false })
    yield* missing(perform("FileStat", { path: containerDirectory(ground.paths, id), follow: false }))
    assert.strictEqual((yield* perform("FileStat", { path: `${ground.rootfs}/bin/busybox`, follow: false })).type, "file")
  }))

  law(ground, "the size of a container is what it wrote, and that of its image", Effect.gen(function*() {
    const engine = yield* Engine
    const { id } = yield* engine.create(script(ground, "dd if=/dev/zero of=/big bs=1000 count=30 2> /dev/null"), "")
    const before = yield* engine.size(id)
    assert.strictEqual(before.rw, 0)
    yield* engine.start(id)
    yield* engine.wait(id)
    const after = yield* engine.size(id)
    assert.deepStrictEqual(after, { rw: 30_000, rootFs: before.rootFs + 30_000 })
  }))

  law(ground, "into a read-only root nothing is written but where a tmpfs is mounted", Effect.gen(function*() {
    const source = "touch /file; mkdir /made; echo tmpfs > /scratch/file && cat /scratch/file"
    const outcome = yield* ran(script(ground, source, {
      readonlyRootfs: true, mounts: [{ _tag: "Tmpfs", target: "/scratch", options: ["size=64k", "mode=1777"] }]
    }))
    assert.strictEqual(outcome.stdout, "tmpfs\n")
    assert.deepStrictEqual(outcome.stderr.trim().split("\n"), [
      "touch: /file: Read-only file system", "mkdir: can't create directory '/made': Read-only file system"
    ])
  }))

  law(ground, "a working directory is made also in a read-only root", Effect.gen(function*() {
    const more = { readonlyRootfs: true, workingDirectory: "/made/for/it" }
    assert.strictEqual(yield* output(script(ground, "pwd; touch x 2> /dev/null || echo closed", more)), "/made/for/it\nclosed\n")
  }))

  law(ground, "a bind mount is the host's directory itself, a read-only one is not written", Effect.gen(function*() {
    const source = `${ground.scratch}/bound`
    yield* perform("DirMake", { path: source, mode: 0o755 })
    yield* perform("FileWrite", { path: `${source}/in`, mode: 0o644, text: "from the host\n" })
    const written = yield* output(script(ground, "cat /bound/in; echo from inside > /bound/out", { mounts: [bind(source, "/bound")] }))
    assert.strictEqual(written, "from the host\n")
    assert.strictEqual(yield* perform("FileRead", { path: `${source}/out`, limit: 100 }), "from inside\n")
    const refused = yield* ran(script(ground, "echo more > /bound/out", { mounts: [bind(source, "/bound", true)] }))
    assert.deepStrictEqual([refused.exit?.code, refused.stderr], [1, "sh: can't create /bound/out: Read-only file system\n"])
    assert.strictEqual(yield* perform("FileRead", { path: `${source}/out`, limit: 100 }), "from inside\n")
  }))

  law(ground, "a bind mount of a file needs no directory", Effect.gen(function*() {
    yield* perform("FileWrite", { path: `${ground.scratch}/one`, mode: 0o644, text: "one\n" })
    const mounts = [bind(`${ground.scratch}/one`, "/deep/below/one")]
    assert.strictEqual(yield* output(config(ground, ["cat", "/deep/below/one"], { mounts })), "one\n")
  }))

  law(ground, "a missing source directory is made when asked for", Effect.gen(function*() {
    const source = `${ground.scratch}/made/for/it`
    const mounts = [{ ...bind(source, "/made"), createSource: true } as Mount]
    yield* output(script(ground, "touch /made/file", { mounts }))
    assert.deepStrictEqual(yield* perform("DirList", { path: source }), ["file"])
  }))

  law(ground, "/dev, /proc and /sys are the container's own", Effect.gen(function*() {
    const source = "ls -d /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/pts /dev/shm /dev/mqueue /proc/self; " +
      "readlink /dev/fd; echo x > /dev/null; echo y > /dev/shm/y; cat /dev/shm/y; touch /sys/x"
    const outcome = yield* ran(script(ground, source))
    assert.strictEqual(outcome.stdout,
      "/dev/full\n/dev/mqueue\n/dev/null\n/dev/pts\n/dev/random\n/dev/shm\n/dev/tty\n/dev/urandom\n/dev/zero\n/proc/self\n/proc/self/fd\ny\n")
    assert.strictEqual(outcome.stderr, "touch: /sys/x: Read-only file system\n")
  }))
}

export const copyLaws = (ground: Ground): void => {
  /** A tree that says something about everything an archive keeps. */
  const tree = "mkdir -p /tree/empty /tree/sub; echo one > /tree/one; echo two > /tree/sub/two; chmod 600 /tree/one; " +
    "chown 1000:50 /tree/sub/two; ln -s sub/two /tree/link; chmod 1777 /tree/empty; ln /tree/one /tree/same"
  const listing = (top: string) => `for one in "" /empty /sub /one /sub/two /link /same; do stat -c '%n %a %u %g %F' ${top}$one; done; ` +
    `readlink ${top}/link; cat ${top}/one ${top}/sub/two`

  const copied = Effect.fnUntraced(function*(from: string, to: string) {
    const engine = yield* Engine
    yield* engine.copyIn(to, "/", engine.copyOut(from, "/tree", { name: "copied", follow: false }), undefined)
  })

  law(ground, "a tree copied from container to container is the same tree, whether they run or not", Effect.gen(function*() {
    const engine = yield* Engine
    const source = yield* started(script(ground, `${tree}; echo ready; sleep 1000`))
    yield* untilLogged(ground, source, "ready")
    const expected = (yield* told(source, listing("/tree"))).replaceAll("/tree", "/copied")
    const running = yield* started(idle(ground))
    const { id: created } = yield* engine.create(idle(ground), "")
    yield* copied(source, running)
    assert.strictEqual(yield* told(running, listing("/copied")), expected, "from running to running")
    yield* copied(source, created)
    yield* engine.start(created)
    assert.strictEqual(yield* told(created, listing("/copied")), expected, "from running to created")
    yield* engine.stop(source, { timeout: 0 })
    yield* engine.stop(created, { timeout: 0 })
    const other = yield* started(idle(ground))
    yield* copied(source, other)
    assert.strictEqual(yield* told(other, listing("/copied")), expected, "from ended to running")
    const { id: last } = yield* engine.create(idle(ground), "")
    yield* copied(source, last)
    yield* engine.start(last)
    assert.strictEqual(yield* told(last, listing("/copied")), expected, "from ended to created")
  }))

  law(ground, "files of the host come into a container and back", Effect.gen(function*() {
    const engine = yield* Engine
    const from = `${ground.scratch}/from`
    const back = `${ground.scratch}/back`
    yield* perform("DirEnsure", { path: `${from}/sub`, mode: 0o750 })
    yield* perform("FileWrite", { path: `${from}/sub/file`, mode: 0o640, text: "content\n" })
    yield* perform("DirMake", { path: back, mode: 0o755 })
    const id = yield* started(idle(ground))
    yield* engine.copyIn(id, "/tmp", engine.host.copyOut(from, { name: "got", follow: false }), { uid: 1000, gid: 50 })
    assert.strictEqual(yield* told(id, "stat -c '%n %a %u %g' /tmp/got/sub /tmp/got/sub/file; cat /tmp/got/sub/file"),
      "/tmp/got/sub 750 1000 50\n/tmp/got/sub/file 640 1000 50\ncontent\n")
    yield* engine.host.copyIn(back, engine.copyOut(id, "/tmp/got/sub", { name: "sub", follow: false }), undefined)
    assert.strictEqual(yield* perform("FileRead", { path: `${back}/sub/file`, limit: 100 }), "content\n")
    const status = yield* perform("FileStat", { path: `${back}/sub/file`, follow: false })
    assert.deepStrictEqual([status.mode, status.uid, status.gid], [0o640, 1000, 50])
  }))

  law(ground, "what is copied into a container that does not run is there when it starts", Effect.gen(function*() {
    const engine = yield* Engine
    yield* perform("FileWrite", { path: `${ground.scratch}/file`, mode: 0o644, text: "put\n" })
    const put = (id: string, name: string) =>
      engine.copyIn(id, "/etc", engine.host.copyOut(`${ground.scratch}/file`, { name, follow: false }), undefined)
    const { id } = yield* engine.create(script(ground, "cat /etc/put* /etc/passwd | grep -c put"), "")
    yield* put(id, "put1")
    yield* engine.start(id)
    assert.strictEqual((yield* engine.wait(id)).code, 0)
    yield* put(id, "put2")
    yield* engine.start(id)
    yield* engine.wait(id)
    const lines = yield* Stream.runCollect(engine.logs(id, { tail: -1, since: undefined, until: undefined, follow: false }))
    assert.deepStrictEqual(lines.map((line) => line.text), ["1\n", "2\n"])
  }))

  law(ground, "what is being copied into a container arrives though it ends meanwhile", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(idle(ground))
    const file = (name: string) => encodeTree([{ type: "file", path: name, mode: 0o644, uid: 0, content: `${name}\n` }])
    const end = Effect.andThen(engine.kill(id, 9), engine.wait(id))
    const endOfArchive = 1024
    const data = Stream.make(file("one").slice(0, -endOfArchive)).pipe(
      Stream.concat(Stream.drain(Stream.fromEffect(end))), Stream.concat(Stream.make(file("two")))
    )
    yield* engine.copyIn(id, "/", data, undefined)
    for (const name of ["one", "two"]) {
      const path = `${writtenDirectory(ground.paths, { id, layers: [], driver: ground.driver })}/${name}`
      assert.strictEqual(yield* perform("FileRead", { path, limit: 100 }), `${name}\n`)
    }
  }))

  law(ground, "while it is copied into, a container that does not run is not started", Effect.gen(function*() {
    const engine = yield* Engine
    const { id } = yield* engine.create(idle(ground), "")
    const data = Stream.fromEffect(Effect.gen(function*() {
      const starting = yield* Effect.forkChild(engine.start(id))
      yield* Effect.sleep("50 millis")
      assert.strictEqual((yield* engine.find("inspect", id)).state.name, "created")
      return { archive: encodeTree([{ type: "file", path: "one", mode: 0o644, uid: 0, content: "one\n" }]), starting }
    }))
    let starting: Fiber.Fiber<unknown, unknown> | undefined
    yield* engine.copyIn(id, "/", Stream.map(data, (one) => {
      starting = one.starting
      return one.archive
    }), undefined)
    yield* Fiber.join(starting!)
    assert.strictEqual(yield* told(id, "cat /one"), "one\n")
  }))

  law(ground, "the status of a path is the container's, and links are followed inside its root only", Effect.gen(function*() {
    const engine = yield* Engine
    const links = "ln -s /etc/passwd /link; ln -s ../../../../etc/group /up; ln -s nowhere /broken"
    const id = yield* started(script(ground, `${links}; echo ready; sleep 1000`))
    yield* untilLogged(ground, id, "ready")
    const look = Effect.gen(function*() {
      const size = (yield* engine.stat(id, "/etc/passwd", false)).size
      const link = yield* engine.stat(id, "/link", false)
      assert.deepStrictEqual([link.type, link.target], ["symlink", "/etc/passwd"])
      const followed = yield* engine.stat(id, "/link", true)
      assert.deepStrictEqual([followed.type, followed.size], ["file", size])
      assert.strictEqual((yield* engine.stat(id, "/up", true)).size, (yield* engine.stat(id, "/etc/group", false)).size)
      yield* missing(Effect.mapError(engine.stat(id, "/broken", true), (error) => error as { readonly errno: string }))
      yield* missing(Effect.mapError(engine.stat(id, "/none", false), (error) => error as { readonly errno: string }))
    })
    yield* look
    yield* engine.kill(id, 9)
    yield* engine.wait(id)
    yield* look
  }))

  law(ground, "nothing is unpacked outside of the container, whatever links it has", Effect.gen(function*() {
    const engine = yield* Engine
    const outside = `${ground.scratch}/outside`
    yield* perform("DirMake", { path: outside, mode: 0o755 })
    yield* perform("FileWrite", { path: `${ground.scratch}/file`, mode: 0o644, text: "x" })
    const id = yield* started(script(ground, `mkdir -p ${outside}; ln -s ${outside} /out; echo ready; sleep 1000`))
    yield* untilLogged(ground, id, "ready")
    yield* engine.copyIn(id, "/out", engine.host.copyOut(`${ground.scratch}/file`, { name: "file", follow: false }), undefined)
    assert.deepStrictEqual(yield* perform("DirList", { path: outside }), [])
    assert.strictEqual(yield* told(id, `ls ${outside}`), "file\n")
  }))

  law(ground, "a copy from or to what is not there fails, and changes nothing", Effect.gen(function*() {
    const engine = yield* Engine
    const id = yield* started(idle(ground))
    const errno = (error: unknown) => error as { readonly errno: string }
    yield* missing(Effect.mapError(Stream.runDrain(engine.copyOut(id, "/none", { name: "x", follow: false })), errno))
    const data = engine.copyOut(id, "/etc/passwd", { name: "x", follow: false })
    yield* missing(Effect.mapError(engine.copyIn(id, "/none", data, undefined), errno))
    assert.strictEqual(yield* told(id, "test -e /none || echo none"), "none\n")
  }))
}
