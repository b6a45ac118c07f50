/**
 * Archives to docker's own daemon and back: `docker load` takes what `save` writes, and `load` what `docker save` does.
 * Layers in zstd are not among them: docker reads these since its release 23, Debian 12 has 20.10.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { gzipSync } from "node:zlib"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Dockerd } from "./image/Dockerd.ts"
import { gnuTar } from "./image/gnuTar.ts"
import { type Compression, OciLayout } from "./image/OciLayout.ts"
import { titled, withoutTools } from "./image/peers.ts"
import { RealImages } from "./image/RealImages.ts"
import { tarArchive } from "./image/tarFile.ts"
import { sameTree, type Tree } from "./image/Tree.ts"
import { patience } from "./RealEngine.ts"

const reason = withoutTools("dockerd", "docker", "docker-registry", "htpasswd", "openssl", "tar", "cc", "unshare")
const limit = { timeout: 120_000 * patience }

const text = (content: string): Uint8Array => new TextEncoder().encode(content)

describe.skipIf(reason !== undefined)(titled("images and docker's daemon", reason), () => {
  let real: RealImages
  let daemon: Dockerd
  /** By how their layers are stored. */
  const trees: { [name: string]: Tree } = {}

  beforeAll(async () => {
    real = await RealImages.start("images-docker")
    daemon = await Dockerd.start(real.place("docker"))
    const root = real.directory("root")
    real.tool.decorate(root)
    const layers = [
      gnuTar(root),
      tarArchive([{ path: "new", type: "dir" }, { path: "new/file", data: text("of the second layer") }, { path: "gone", data: text("x") }]),
      tarArchive([{ path: ".wh.gone" }, { path: "new/.wh..wh..opq" }, { path: "new/other", data: text("of the third") }])
    ]
    const layout = new OciLayout(real.place("layout"))
    const add = (name: string, ...compressions: ReadonlyArray<Compression>) =>
      layout.name(
        layout.putImage(layers.map((tar, index) => ({ tar, compression: compressions[index] ?? "none" })), { author: name }),
        `example.org/${name}:1`
      )
    add("plain")
    add("gzip", "gzip", "gzip", "gzip")
    real.fx("load", "-q", "-i", layout.archive(real.place("layout.tar")))
    for (const name of ["plain", "gzip"]) trees[name] = real.tree(named(name))
  }, 120_000 * patience)
  afterAll(async () => {
    await daemon?.stop()
    await real?.dispose()
  }, 60_000 * patience)

  const named = (name: string): string => `example.org/${name}:1`
  const theirs = (name: string): string => daemon.docker("image", "inspect", "-f", "{{.Id}} {{json .RootFS.Layers}}", named(name)).trim()
  const ours = (name: string): string => real.inspect(named(name), "{{.Id}} {{json .RootFS.Layers}}")

  it("docker load takes several images of one archive, with layers plain and in gzip, and has the same ids", limit, () => {
    const saved = real.place("saved.tar")
    real.fx("save", "-o", saved, named("plain"), named("gzip"))
    assert.deepStrictEqual(daemon.docker("load", "-i", saved).trim().split("\n").sort(), [
      "Loaded image: example.org/gzip:1", "Loaded image: example.org/plain:1"
    ])
    for (const name of ["plain", "gzip"]) assert.strictEqual(theirs(name), ours(name))
  })

  it("docker load takes an archive that was compressed as a whole", limit, () => {
    daemon.docker("rmi", "-f", theirs("plain").split(" ")[0]!)
    const saved = real.place("saved.tar")
    real.fx("save", "-o", saved, named("plain"))
    const compressed = real.place("saved.tar.gz")
    writeFileSync(compressed, gzipSync(readFileSync(saved)))
    daemon.docker("load", "-i", compressed)
    assert.strictEqual(theirs("plain"), ours("plain"))
  })

  it("what docker save writes has the same ids and files here", limit, () => {
    const saved = real.place("theirs.tar")
    daemon.docker("save", "-o", saved, named("plain"), named("gzip"))
    const before = ["plain", "gzip"].map(ours)
    real.removeAll()
    real.fx("load", "-q", "-i", saved)
    assert.deepStrictEqual(["plain", "gzip"].map(ours), before)
    for (const name of ["plain", "gzip"]) sameTree(real.tree(named(name)), trees[name]!, name)
  })
})
