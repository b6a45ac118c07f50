/**
 * Images on this very kernel through their whole life: pulled by tag, digest and platform, by several engines at
 * once; containers of them committed, exported, imported; their history and differences.
 */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { gnuTar } from "./image/gnuTar.ts"
import { type Descriptor, OciLayout } from "./image/OciLayout.ts"
import { skopeo, titled, umociUnpack, withoutTools } from "./image/peers.ts"
import { RealImages } from "./image/RealImages.ts"
import { sameTree, type Tree } from "./image/Tree.ts"
import { makeRootfs, patience } from "./RealEngine.ts"

const reason = withoutTools("skopeo", "umoci", "docker-registry", "htpasswd", "openssl", "tar", "cc", "unshare")
const limit = { timeout: 240_000 * patience }

/** Of a container's own: files that are bound over it, and directories that it needs. */
const withoutOwn = (tree: Tree): Tree =>
  new Map([...tree].filter(([path]) => !/^\/$|^\/(etc\/(hosts|hostname|resolv\.conf)|etc|dev|proc|sys|\.dockerenv)(\/|$)/.test(path)))

/** umoci takes an attribute without a value for one that is to go. */
const withoutEmpty = (tree: Tree): Tree => new Map([...tree].map(([path, line]) => [path, line.replace("user.empty=,", "")]))

describe.skipIf(reason !== undefined)(titled("images through their life", reason), () => {
  let real: RealImages
  let layout: OciLayout
  let indexDigest: string
  const platforms: { [architecture: string]: Descriptor } = {}

  beforeAll(async () => {
    real = await RealImages.start("images-together")
    layout = new OciLayout(real.place("layout"))
    const root = real.directory("root")
    makeRootfs(root)
    mkdirSync(join(root, "data"))
    real.tool.decorate(join(root, "data"))
    const base = { tar: gnuTar(root), compression: "gzip" } as const
    const layers = ["one", "two", "three", "four"].map((name) => {
      const upper = real.directory(name)
      for (let file = 0; file < 50; file++) writeFileSync(join(upper, `${name}-${file}`), name.repeat(10_000))
      return { tar: gnuTar(upper), compression: "gzip" } as const
    })
    const push = (name: string, descriptor: Descriptor) => {
      layout.name(descriptor, name)
      skopeo.copy("--all", "--preserve-digests", `oci:${layout.directory}:${name}`, `docker://${real.remote(`app:${name}`)}`)
    }
    push("base", layout.putImage([base]))
    push("one", layout.putImage([base, layers[0]!, layers[1]!]))
    push("two", layout.putImage([base, layers[0]!, layers[2]!]))
    push("three", layout.putImage([base, layers[3]!, layers[1]!]))
    for (const architecture of ["amd64", "arm64"]) {
      platforms[architecture] = { ...layout.putImage([base], { architecture }), platform: { os: "linux", architecture } }
    }
    const index = layout.putIndex(Object.values(platforms))
    indexDigest = index.digest
    push("index", index)
  }, 300_000 * patience)
  afterAll(() => real?.dispose(), 120_000 * patience)

  const app = (tag: string) => real.remote(`app:${tag}`)
  const configDigest = (descriptor: Descriptor) => layout.document<{ config: Descriptor }>(descriptor.digest).config.digest

  it("are pulled by tag and by digest", limit, () => {
    const { digest } = layout.named("one")
    real.fx("pull", "-q", app("one"))
    real.fx("rmi", app("one"))
    const byDigest = `${real.remote("app")}@${digest}`
    assert.match(real.fx("pull", byDigest), new RegExp(`Digest: ${digest}`))
    assert.strictEqual(real.id(byDigest), configDigest(layout.named("one")))
    assert.strictEqual(real.inspect(byDigest, "{{len .RepoTags}} {{join .RepoDigests \",\"}}"), `0 ${byDigest}`)
    assert.match(real.fx("pull", byDigest), /up to date/)
    const wrong = real.tried("pull", `${real.remote("app")}@sha256:${"0".repeat(64)}`)
    assert.deepStrictEqual([wrong.code, /not found|unknown/i.test(wrong.stderr)], [1, true], wrong.stderr)
    real.removeAll()
  })

  it("are pulled for the platform that is wanted", limit, () => {
    const wanted = { "": "amd64", "linux/arm64": "arm64", "linux/amd64": "amd64" }
    for (const [platform, architecture] of Object.entries(wanted)) {
      const said = real.fx("pull", ...(platform === "" ? [] : ["--platform", platform]), app("index"))
      assert.include(said, `Digest: ${indexDigest}`)
      assert.deepStrictEqual(
        [real.id(app("index")), real.inspect(app("index"), "{{.Architecture}}")], [configDigest(platforms[architecture]!), architecture]
      )
    }
    const none = real.tried("pull", "--platform", "linux/s390x", app("index"))
    assert.deepStrictEqual([none.code, /linux\/s390x/.test(none.stderr)], [1, true], none.stderr)
    real.removeAll()
  })

  it("are pulled with all tags of their repository", limit, () => {
    real.fx("pull", "-a", real.remote("app"))
    const tags = real.fx("images", "--format", "{{.Tag}}", real.remote("app")).split("\n").filter((tag) => tag !== "<none>")
    assert.deepStrictEqual(tags.toSorted(), ["base", "index", "one", "three", "two"])
    real.removeAll()
  })

  it("are pulled by several engines at once, each layer once", limit, async () => {
    const ran = await Promise.all(["one", "two", "three", "one", "two"].map((tag) => real.meanwhile("pull", app(tag))))
    assert.deepStrictEqual(ran.map(({ code, stderr }) => [code, stderr]), ran.map(() => [0, ""]))
    for (const tag of ["one", "two", "three"]) {
      assert.strictEqual(real.id(app(tag)), configDigest(layout.named(tag)))
      sameTree(withoutEmpty(real.tree(app(tag))), real.tool.list(umociUnpack(layout.directory, tag, real.place(tag))), tag)
    }
    assert.match(real.fx("system", "check"), /agree/)
    assert.deepStrictEqual(real.cli.engine.leftovers(), [])
    real.removeAll()
  })

  it("stay whole while others are pulled and removed", limit, async () => {
    real.fx("pull", "-q", app("base"))
    for (let round = 0; round < 5; round++) {
      const ran = await Promise.all([
        real.meanwhile("pull", app("one")), real.meanwhile("pull", app("two")), real.meanwhile("image", "prune", "-f"),
        real.meanwhile("rmi", "-f", app(round % 2 === 0 ? "three" : "one")), real.meanwhile("pull", app("three"))
      ])
      assert.deepStrictEqual(ran.filter((_, index) => index !== 3).map(({ code, stderr }) => [code, stderr]), [[0, ""], [0, ""], [0, ""], [0, ""]])
      assert.match(real.fx("system", "check"), /agree/)
      assert.strictEqual(real.tried("save", "-o", "/dev/null", app("two")).code, 0)
      assert.isTrue(real.tree(app("two")).has("/three-0"))
    }
    real.removeAll()
  })

  describe("with containers", () => {
    beforeAll(() => void real.fx("pull", "-q", app("base")), 120_000 * patience)
    afterAll(() => {
      real.cli.removeAll()
      real.removeAll()
    }, 120_000 * patience)

    const script = [
      "rm -r /data/owners", "mkdir /data/owners", "echo again > /data/owners/new", "rm /data/files/first", "mkdir /data/files/first",
      "rm -r '/data/files/empty directory'", "echo file > '/data/files/empty directory'", "chmod 700 /data/attributes", "mv /data/deep /data/deeper",
      "mkfifo /pipe", "ln /bin/busybox /linked", "echo more >> /etc/passwd", "chown 3000000:5 /data/times/epoch"
    ].join("; ")

    it("are committed with all that changed, which other tools read", limit, () => {
      real.fx("run", "--name", "changed", "--network", "none", app("base"), "sh", "-ec", script)
      const changes = real.fx("diff", "changed").split("\n")
      for (const line of [
        "C /data/owners", "A /data/owners/new", "D /data/owners/setuid", "C /data/files/first", "D /data/deep", "A /data/deeper", "A /pipe", "A /linked", "C /etc/passwd",
        "C /data/attributes", "C /data/times/epoch"
      ]) assert.include(changes, line)
      const id = real.fx("commit", "-a", "me <me@example.org>", "-m", "why", "-c", "ENV B=2", "-c", "CMD [\"id\"]", "changed", real.remote("committed:1"))
      const image = real.remote("committed:1")
      assert.strictEqual(real.id(image), id)
      assert.strictEqual(
        real.inspect(image, "{{json .Config.Env}} {{json .Config.Cmd}} {{.Author}} {{.Comment}}"), `["B=2"] ["id"] me <me@example.org> why`
      )
      const history = real.fx("history", "--no-trunc", "--format", "{{.CreatedBy}}|{{.Comment}}", image).split("\n")
      assert.deepStrictEqual(history, [`sh -ec ${script}|why`, "step 0|"])
      real.fx("push", "-q", image)
      const copied = real.place("committed")
      skopeo.copy(`docker://${image}`, `oci:${copied}:x`)
      const tree = real.tree(image)
      sameTree(real.tool.list(umociUnpack(copied, "x", real.place("unpacked"))), withoutEmpty(tree), "as umoci unpacks it")
      assert.isTrue(tree.has("/data/owners/new") && !tree.has("/data/owners/setuid") && tree.has("/data/deeper") && !tree.has("/data/deep"))
      // The same changes are the same layer
      assert.deepStrictEqual(real.layers(real.fx("commit", "changed")), real.layers(image))
    })

    it("are exported as a container has them, and imported again", limit, () => {
      const archive = real.place("exported.tar")
      real.fx("export", "-o", archive, "changed")
      const plain = real.directory("exported")
      execFileSync("tar", ["-C", plain, "--xattrs", "--xattrs-include=*", "--numeric-owner", "-xpf", archive])
      const committed = withoutOwn(real.tree(real.remote("committed:1")))
      sameTree(withoutOwn(real.tool.list(plain)), committed, "as GNU tar unpacks it")
      const id = real.fx("import", "-m", "from afar", "-c", "CMD [\"true\"]", archive, "imported:1")
      assert.strictEqual(real.id("imported:1"), id)
      assert.strictEqual(real.inspect("imported:1", "{{json .Config.Cmd}} {{.Comment}} {{len .RootFS.Layers}}"), `["true"] from afar 1`)
      assert.deepStrictEqual(real.layers("imported:1"), [`sha256:${createHash("sha256").update(readFileSync(archive)).digest("hex")}`])
      sameTree(withoutOwn(real.tree("imported:1")), committed, "imported")
      assert.strictEqual(real.fx("run", "--rm", "--network", "none", "imported:1", "cat", "/data/owners/new"), "again")
    })

    it("are not removed while containers are of them", limit, () => {
      const refused = real.tried("rmi", app("base"))
      assert.deepStrictEqual([refused.code, /changed/.test(refused.stderr)], [1, true], refused.stderr)
    })
  })
})
