/**
 * Images on this very kernel, exchanged with other people's tools: what they write we read, what we write they read,
 * through image layouts, docker archives and a registry; trees and digests are the same.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { gnuTar } from "./image/gnuTar.ts"
import { copyHostFiles } from "./image/hostFiles.ts"
import { compress, digestOf, layerType, type Manifest, OciLayout } from "./image/OciLayout.ts"
import { podmanIn, skopeo, titled, umociUnpack, use, withoutTools } from "./image/peers.ts"
import { RealImages } from "./image/RealImages.ts"
import { sameTree, type Tree } from "./image/Tree.ts"
import { patience } from "./RealEngine.ts"

const minutes = (count: number): { readonly timeout: number } => ({ timeout: count * 60_000 * patience })

const files = 10_000

/** Removals and replacements that umoci sees between two states of a root. */
const changeRoot = (root: string): void => {
  const at = (path: string) => join(root, path)
  rmSync(at("files/empty directory"), { recursive: true })
  writeFileSync(at("files/empty directory"), "a file where a directory was")
  rmSync(at("files/empty"))
  mkdirSync(at("files/empty"))
  writeFileSync(at("files/empty/inside"), "a directory where a file was")
  rmSync(at("odd/with space"))
  rmSync(at("nodes"), { recursive: true })
  rmSync(at("usr/share/doc"), { recursive: true, force: true })
  writeFileSync(at("files/first"), "changed, and so no longer the others")
}

/** A layer with what umoci does not write: an opaque directory, and a directory where the layer below has a file again. */
const handmadeLayer = (directory: string): Uint8Array => {
  const write = (path: string, text = "") => {
    mkdirSync(join(directory, path, ".."), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  write("odd/.wh..wh..opq")
  write("odd/only", "what is left of odd")
  write("files/.wh.empty directory")
  write("files/.wh.first")
  write("files/.wh.not there")
  write("deep/.wh.not there either")
  write("attributes/.wh..wh..opq")
  write("attributes/directory/new", "below what was hidden")
  write("times/.wh.epoch")
  return gnuTar(directory)
}

const reason = withoutTools("skopeo", "umoci", "podman", "docker-registry", "htpasswd", "openssl", "tar", "cc", "unshare")

describe.skipIf(reason !== undefined)(titled("images and other people's tools", reason), () => {
  let real: RealImages
  let layout: OciLayout
  /** As umoci unpacks it: of the image with all layers, and of its lowest layer. */
  let wanted: Tree
  let wantedBase: Tree
  let manifest: Manifest
  let diffIds: ReadonlyArray<string>

  beforeAll(async () => {
    real = await RealImages.start("images")
    const path = real.place("layout")
    use("umoci", "init", "--layout", path)
    use("umoci", "new", "--image", `${path}:base`)
    const bundle = real.place("bundle")
    const root = umociUnpack(path, "base", bundle)
    copyHostFiles(root, files)
    real.tool.decorate(root)
    use("umoci", "repack", "--refresh-bundle", "--image", `${path}:base`, bundle)
    use("umoci", "config", "--image", `${path}:base`, "--config.cmd", "true", "--config.env", "A=1")
    changeRoot(root)
    use("umoci", "repack", "--image", `${path}:changed`, bundle)
    layout = new OciLayout(path)
    addHandmade()
    wantedBase = real.tool.list(umociUnpack(path, "base", real.place("wanted-base")))
    wanted = real.tool.list(umociUnpack(path, "all", real.place("wanted")))
    manifest = layout.document<Manifest>(layout.named("all").digest)
    diffIds = layout.document<{ rootfs: { diff_ids: ReadonlyArray<string> } }>(manifest.config.digest).rootfs.diff_ids
  }, 600_000 * patience)
  afterAll(() => real?.dispose(), 600_000 * patience)

  /** `all`: one layer more than `changed`. `zstd`: the same layers, otherwise compressed. */
  const addHandmade = (): void => {
    const below = layout.document<Manifest>(layout.named("changed").digest)
    const tar = handmadeLayer(real.directory("handmade"))
    const config = layout.document<{ rootfs: { type: string; diff_ids: ReadonlyArray<string> }; history: ReadonlyArray<object> }>(
      below.config.digest
    )
    const put = layout.put(new TextEncoder().encode(JSON.stringify({
      ...config, config: { Cmd: ["true"], Env: ["A=1"], Labels: { "a label": "with ü" } },
      rootfs: { ...config.rootfs, diff_ids: [...config.rootfs.diff_ids, digestOf(tar)] },
      history: [...config.history, { created: "2025-01-02T03:04:05Z", created_by: "by hand", comment: "a comment" }]
    })), below.config.mediaType)
    layout.name(layout.putManifest(put, [...below.layers, layout.put(compress(tar, "gzip"), layerType("gzip"))]), "all")
    const zstd = [...below.layers.map(({ digest }) => gunzipSync(layout.read(digest))), tar].map((bytes) =>
      layout.put(compress(bytes, "zstd"), layerType("zstd")))
    layout.name(layout.putManifest(put, zstd), "zstd")
  }

  /** A layout with one of ours, as an archive. */
  const archived = (name: string): string => {
    const one = real.place(`only-${name}`)
    skopeo.copy(`oci:${layout.directory}:${name}`, `oci:${one}:${real.remote(`archived:${name}`)}`)
    return new OciLayout(one).archive(real.place(`${name}.tar`))
  }

  const expectAll = (image: string, what: string): void => {
    assert.deepStrictEqual([real.id(image), real.layers(image)], [manifest.config.digest, diffIds], what)
    sameTree(real.tree(image), wanted, what)
  }

  it("there is much in it", () => {
    assert.isAbove(wantedBase.size, files)
    assert.isTrue(wantedBase.has("/files/sparse") && wanted.has("/odd/only") && !wanted.has("/nodes") && !wanted.has("/odd/-dash"))
  })

  describe("we read what they write", () => {
    it("image layouts of umoci, with gzip and zstd", minutes(4), () => {
      const base = real.fx("load", "-i", archived("base"))
      assert.match(base, /Loaded image: .*archived:base/)
      sameTree(real.tree(real.remote("archived:base")), wantedBase, "base")
      for (const name of ["all", "zstd"]) {
        real.fx("load", "-i", archived(name))
        expectAll(real.remote(`archived:${name}`), name)
        real.removeAll()
      }
    })

    it("docker archives of skopeo and podman, and OCI archives of podman", minutes(6), () => {
      const archive = real.place("skopeo.tar")
      skopeo.copy(`oci:${layout.directory}:all`, `docker-archive:${archive}:example.org/team/app:1`)
      real.fx("load", "-q", "-i", archive)
      expectAll("example.org/team/app:1", "of skopeo")
      real.removeAll()
      const podman = podmanIn(real.directory("podman"))
      podman("load", "-q", "-i", archive)
      for (const format of ["docker-archive", "oci-archive"]) {
        const saved = real.place(`${format}.tar`)
        podman("save", "-q", "--format", format, "-o", saved, "example.org/team/app:1")
        real.fx("load", "-q", "-i", saved)
        const [id = ""] = real.fx("images", "-q", "--no-trunc", "-f", "reference=example.org/team/app").split("\n")
        assert.deepStrictEqual(real.layers(id), diffIds, format)
        sameTree(real.tree(id), wanted, `${format} of podman`)
        real.removeAll()
      }
      podman("rmi", "-a", "-f")
    })

    it("repositories that skopeo fills, with gzip and zstd", minutes(4), () => {
      for (const name of ["all", "zstd"]) {
        const remote = real.remote(`theirs:${name}`)
        skopeo.copy("--preserve-digests", `oci:${layout.directory}:${name}`, `docker://${remote}`)
        assert.match(real.fx("pull", remote), new RegExp(`Digest: ${layout.named(name).digest}`))
        expectAll(remote, `pulled ${name}`)
        assert.strictEqual(real.inspect(remote, "{{join .RepoDigests \",\"}}"), `${real.remote("theirs")}@${layout.named(name).digest}`)
        assert.match(real.fx("pull", remote), /Image is up to date/)
        real.removeAll()
      }
    })
  })

  describe("they read what we write", () => {
    beforeAll(() => {
      real.fx("load", "-q", "-i", archived("all"))
      real.fx("tag", real.remote("archived:all"), real.remote("ours/one:1"))
    }, 300_000 * patience)
    afterAll(() => real.removeAll(), 300_000 * patience)

    const expectCopied = (copied: string, what: string): void => {
      const directory = new OciLayout(copied)
      const { config, layers } = directory.document<Manifest>(directory.named("x").digest)
      // skopeo writes the config of a docker archive anew for a layout
      if (what !== "docker-archive") assert.strictEqual(config.digest, manifest.config.digest, what)
      assert.deepStrictEqual(layers.map(({ digest }) => digestOf(gunzipSync(directory.read(digest)))), diffIds, what)
      sameTree(real.tool.list(umociUnpack(copied, "x", real.place("unpacked"))), wanted, what)
    }

    it("archives, as docker archives and as image layouts", minutes(6), () => {
      const saved = real.place("saved.tar")
      real.fx("save", "-o", saved, real.remote("ours/one:1"))
      for (const transport of ["docker-archive", "oci-archive"]) {
        const told = JSON.parse(skopeo.inspect(`${transport}:${saved}`)) as { Env: ReadonlyArray<string>; Layers: ReadonlyArray<string> }
        assert.deepStrictEqual([told.Env, told.Layers.length], [["A=1"], 3], transport)
        const copied = real.place(transport)
        skopeo.copy(`${transport}:${saved}`, `oci:${copied}:x`)
        expectCopied(copied, transport)
      }
      const podman = podmanIn(real.directory("podman"))
      podman("load", "-q", "-i", saved)
      assert.strictEqual(
        podman("image", "inspect", "-f", "sha256:{{.Id}} {{.RootFS.Layers}}", real.remote("ours/one:1")).trim(),
        `${manifest.config.digest} [${diffIds.join(" ")}]`
      )
      podman("rmi", "-a", "-f")
      // The same image is the same archive
      const again = real.place("again.tar")
      real.fx("save", "-o", again, real.remote("ours/one:1"))
      assert.isTrue(readFileSync(again).equals(readFileSync(saved)))
    })

    it("what we push, with the manifest that came; what is there already is mounted", minutes(4), () => {
      const { digest } = layout.named("all")
      const pushed = real.fx("push", real.remote("ours/one:1"))
      assert.include(pushed, `digest: ${digest}`)
      assert.strictEqual((JSON.parse(skopeo.inspect(`docker://${real.remote("ours/one:1")}`)) as { Digest: string }).Digest, digest)
      const copied = real.place("from-registry")
      skopeo.copy(`docker://${real.remote("ours/one:1")}`, `oci:${copied}:x`)
      expectCopied(copied, "the registry's")
      real.fx("tag", real.remote("ours/one:1"), real.remote("ours/two:1"))
      const second = real.fx("push", real.remote("ours/two:1"))
      assert.strictEqual([...second.matchAll(/Mounted from ours\/one/g)].length, 3, second)
      assert.strictEqual([...real.fx("push", real.remote("ours/two:1")).matchAll(/Layer already exists/g)].length, 3)
    })
  })
})
