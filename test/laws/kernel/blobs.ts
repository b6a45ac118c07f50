/** What operations on blobs owe: the name of a content is its digest, and what has come is never brought again. */
import { createHash } from "node:crypto"
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import { perform } from "../../../src/programs/Kernel.ts"
import { bytes, ran, script } from "../container.ts"
import { type Ground, law } from "../Ground.ts"
import { errnoOf } from "./files.ts"

type Algorithm = "sha256" | "sha512"

const hexOf = (algorithm: Algorithm, ...pieces: ReadonlyArray<Uint8Array>): string => {
  const hash = createHash(algorithm)
  for (const piece of pieces) hash.update(piece)
  return hash.digest("hex")
}

/** Bytes that differ from place to place. */
const content = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8) * 7) & 255)

export const blobLaws = (ground: Ground): void => {
  const at = (name: string) => `${ground.scratch}/${name}`
  const store = at("blobs")
  const open = (name: string, algorithm: Algorithm = "sha256") => perform("BlobOpen", { path: at(name), algorithm })
  const append = (blob: number, data: string | Uint8Array) =>
    perform("BlobAppend", { blob, data: typeof data === "string" ? bytes(data) : data })
  const commit = (blob: number, digest?: string) =>
    perform("BlobCommit", { blob, directory: store, ...(digest === undefined ? {} : { digest }) })
  const close = (blob: number) => perform("BlobClose", { blob })
  const names = (directory: string) => perform("DirList", { path: directory })
  const makeStore = Effect.gen(function*() {
    for (const path of [store, `${store}/sha256`, `${store}/sha512`]) yield* perform("DirEnsure", { path, mode: 0o700 })
  })
  const stored = (algorithm: Algorithm, hex: string) =>
    Effect.map(
      perform("FileReadRange", { path: `${store}/${algorithm}/${hex}`, inode: 0, offset: 0, limit: 1 << 26 }), ({ data }) => data
    )

  for (const algorithm of ["sha256", "sha512"] as const) {
    law(ground, `a content that came in pieces gets the name of its ${algorithm}, and leaves the one that it came under`,
      Effect.gen(function*() {
        yield* makeStore
        const { blob, size } = yield* open("coming", algorithm)
        assert.strictEqual(size, 0)
        for (const piece of ["one, ", "", "two, ", "three"]) yield* append(blob, piece)
        const hex = hexOf(algorithm, bytes("one, two, three"))
        assert.deepStrictEqual(yield* commit(blob, `${algorithm}:${hex}`), { digest: `${algorithm}:${hex}`, size: 15 })
        assert.deepStrictEqual([...(yield* stored(algorithm, hex))], [...bytes("one, two, three")])
        const status = yield* perform("FileStat", { path: `${store}/${algorithm}/${hex}`, follow: false })
        assert.deepInclude(status, { type: "file", mode: 0o600, uid: 0, gid: 0, size: 15 })
        assert.deepStrictEqual(yield* names(ground.scratch), ["blobs"])
      }))
  }

  law(ground, "a content of which nobody knows the digest is told it; one that is there already takes its own place", Effect.gen(function*() {
    yield* makeStore
    for (const text of ["", "", "once", "once"]) {
      const { blob } = yield* open("coming")
      yield* append(blob, text)
      assert.deepStrictEqual(yield* commit(blob), { digest: `sha256:${hexOf("sha256", bytes(text))}`, size: text.length })
    }
    assert.deepStrictEqual(yield* names(`${store}/sha256`), [hexOf("sha256", bytes("once")), hexOf("sha256")].sort())
  }))

  law(ground, "what one writer has left is there for the next, hashed, however often it is left", Effect.gen(function*() {
    yield* makeStore
    const whole = content(2_500_000)
    let done = 0
    for (const to of [0, 1, 1_048_576, 1_048_577, 2_400_000, whole.length]) {
      const { blob, size } = yield* open("coming")
      assert.strictEqual(size, done)
      yield* append(blob, whole.slice(done, to))
      done = to
      yield* close(blob)
    }
    const { blob, size } = yield* open("coming")
    assert.strictEqual(size, whole.length)
    const hex = hexOf("sha256", whole)
    assert.deepStrictEqual(yield* commit(blob, `sha256:${hex}`), { digest: `sha256:${hex}`, size })
    assert.strictEqual(hexOf("sha256", yield* stored("sha256", hex)), hex)
  }))

  law(ground, "what an engine had brought when it was killed is not brought again", Effect.gen(function*() {
    yield* makeStore
    const stranger = yield* ground.stranger("bringsHalf", at("coming"))
    yield* stranger.kill
    const { blob, size } = yield* open("coming")
    assert.strictEqual(size, "the first half, ".length)
    yield* append(blob, "the other half")
    const hex = hexOf("sha256", bytes("the first half, the other half"))
    assert.strictEqual((yield* commit(blob, `sha256:${hex}`)).digest, `sha256:${hex}`)
  }))

  law(ground, "in pieces of any length, left and gone on with anywhere, it has the digest of the whole", Effect.gen(function*() {
    yield* makeStore
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.uint8Array({ maxLength: 200 }) }, { weight: 1, arbitrary: fc.constantFrom("close", "truncate") }
    )
    for (const steps of fc.sample(fc.array(step, { maxLength: 12 }), { numRuns: 30, seed: 7 })) {
      let { blob } = yield* open("coming")
      let kept: Array<Uint8Array> = []
      for (const one of steps) {
        if (one === "close") {
          yield* close(blob)
          const next = yield* open("coming")
          assert.strictEqual(next.size, kept.reduce((sum, { length }) => sum + length, 0))
          blob = next.blob
        } else if (one === "truncate") {
          yield* perform("BlobTruncate", { blob })
          kept = []
        } else {
          yield* append(blob, one as Uint8Array)
          kept.push(one as Uint8Array)
        }
      }
      assert.strictEqual((yield* commit(blob)).digest, `sha256:${hexOf("sha256", ...kept)}`)
    }
  }))

  law(ground, "what an earlier writer has left can be thrown away", Effect.gen(function*() {
    yield* makeStore
    const first = yield* open("coming")
    yield* append(first.blob, "rubbish that is longer than what comes")
    yield* close(first.blob)
    const { blob } = yield* open("coming")
    yield* append(blob, "more of it")
    yield* perform("BlobTruncate", { blob })
    yield* append(blob, "good")
    const hex = hexOf("sha256", bytes("good"))
    assert.deepStrictEqual(yield* commit(blob, `sha256:${hex}`), { digest: `sha256:${hex}`, size: 4 })
    assert.deepStrictEqual([...(yield* stored("sha256", hex))], [...bytes("good")])
  }))

  law(ground, "a content of another digest is thrown away, and it is told which was wanted and which came", Effect.gen(function*() {
    yield* makeStore
    const { blob } = yield* open("coming")
    yield* append(blob, "falsified")
    const [wanted, found] = [hexOf("sha256", bytes("true")), hexOf("sha256", bytes("falsified"))]
    const error = yield* Effect.flip(commit(blob, `sha256:${wanted}`))
    assert.deepInclude(error, { op: "BlobCommit", errno: "EBADMSG", path: at("coming") })
    assert.include(error.hint, `wanted sha256:${wanted}`)
    assert.include(error.hint, `found sha256:${found} in 9 bytes`)
    assert.deepStrictEqual([yield* names(ground.scratch), yield* names(`${store}/sha256`)], [["blobs"], []])
    assert.strictEqual(yield* errnoOf("BlobAppend", { blob, data: bytes("x") }), "EBADF")
  }))

  law(ground, "a blob that was closed or has got its place takes nothing more, and is closed without ado", Effect.gen(function*() {
    yield* makeStore
    const closed = yield* open("closed")
    yield* close(closed.blob)
    const placed = yield* open("placed")
    yield* commit(placed.blob)
    const lock = yield* perform("LockAcquire", { path: at("lock"), shared: false })
    for (const blob of [closed.blob, placed.blob, lock]) {
      assert.strictEqual(yield* errnoOf("BlobAppend", { blob, data: bytes("x") }), "EBADF")
      assert.strictEqual(yield* errnoOf("BlobTruncate", { blob }), "EBADF")
      assert.strictEqual(yield* errnoOf("BlobCommit", { blob, directory: store }), "EBADF")
    }
    yield* close(closed.blob)
    yield* close(placed.blob)
    assert.strictEqual(yield* errnoOf("BlobClose", { blob: lock }), "EBADF")
    yield* perform("LockRelease", { handle: lock })
  }))

  law(ground, "a content without a place to go stays for the next writer", Effect.gen(function*() {
    const first = yield* open("coming")
    yield* append(first.blob, "content")
    assert.strictEqual(yield* errnoOf("BlobCommit", { blob: first.blob, directory: store }), "ENOENT")
    yield* makeStore
    const { blob, size } = yield* open("coming")
    assert.strictEqual(size, 7)
    assert.strictEqual((yield* commit(blob)).digest, `sha256:${hexOf("sha256", bytes("content"))}`)
  }))

  law(ground, "a digest that is none, or of the other algorithm, is refused, and the content stays", Effect.gen(function*() {
    yield* makeStore
    for (const digest of ["", "sha256:abc", `SHA256:${hexOf("sha256")}`, `md5:${"0".repeat(32)}`, `sha512:${hexOf("sha512")}`]) {
      const { blob } = yield* open("coming")
      assert.strictEqual(yield* errnoOf("BlobCommit", { blob, directory: store, digest }), "EINVAL", digest)
    }
    assert.strictEqual((yield* perform("FileStat", { path: at("coming"), follow: false })).size, 0)
  }))

  law(ground, "the name that somebody else took or removed meanwhile is not given the place", Effect.gen(function*() {
    yield* makeStore
    const removed = yield* open("coming")
    yield* append(removed.blob, "before")
    yield* perform("FileRemove", { path: at("coming") })
    yield* append(removed.blob, " and after")
    assert.strictEqual(yield* errnoOf("BlobCommit", { blob: removed.blob, directory: store }), "ENOENT")
    const replaced = yield* open("coming")
    yield* append(replaced.blob, "ours")
    yield* perform("FileWrite", { path: at("coming"), mode: 0o600, text: "theirs" })
    assert.strictEqual(yield* errnoOf("BlobCommit", { blob: replaced.blob, directory: store }), "ESTALE")
    assert.strictEqual(yield* perform("FileRead", { path: at("coming"), limit: 100 }), "theirs")
    assert.deepStrictEqual(yield* names(`${store}/sha256`), [])
  }))

  law(ground, "only a file of its own in a directory that is there takes a content", Effect.gen(function*() {
    yield* perform("DirMake", { path: at("directory"), mode: 0o755 })
    yield* perform("FileWrite", { path: at("file"), mode: 0o600, text: "x" })
    const mounts = [{
      _tag: "Bind", source: ground.scratch, target: "/host", readonly: false, recursive: "enabled", propagation: "",
      createSource: false
    } as const]
    yield* ran(script(ground, "ln -s file /host/link; ln -s none /host/dangling; mkfifo /host/fifo", { mounts }))
    const opening = (name: string) => errnoOf("BlobOpen", { path: at(name), algorithm: "sha256" })
    assert.strictEqual(yield* opening("directory"), "EISDIR")
    assert.strictEqual(yield* opening("link"), "ELOOP")
    assert.strictEqual(yield* opening("dangling"), "ELOOP")
    assert.strictEqual(yield* opening("fifo"), "EINVAL")
    assert.strictEqual(yield* opening("none/x"), "ENOENT")
    assert.strictEqual(yield* opening("file/x"), "ENOTDIR")
    assert.deepStrictEqual(yield* names(ground.scratch), ["dangling", "directory", "fifo", "file", "link"])
  }))
}
