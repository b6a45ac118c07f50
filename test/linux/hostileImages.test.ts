/**
 * Manifests and archives that lie, through `load` and `pull` on this very kernel: a clear error, nothing left behind,
 * and no more memory than for others.
 */
import { spawn } from "node:child_process"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { gzipSync, zstdCompressSync } from "node:zlib"
import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import { Contents, goodLayer, hostileImages, imageOf, type Wish, zeros } from "./image/hostileImages.ts"
import { configOf, type Descriptor, digestOf, json, layerType, mediaTypes } from "./image/OciLayout.ts"
import { tarArchive } from "./image/tarFile.ts"
import { environment, RealCli } from "./RealCli.ts"
import { patience, titled, unavailable } from "./RealEngine.ts"

/** Megabytes that the program may take, whatever it is given. */
const mostMegabytes = 200

/** How often to look at the largest size of a process, in milliseconds. */
const lookEvery = 5

const largestSize = (pid: number): number => {
  try {
    return Number(/^VmHWM:\s+([0-9]+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

describe.skipIf(unavailable !== undefined)(titled("images that lie"), () => {
  const cli = new RealCli()
  beforeAll(() => cli.build("hostile-images"), 60_000 * patience)
  afterAll(() => cli.dispose())

  /** As `cli.fx`, but this process goes on meanwhile. */
  const fx = (...argv: ReadonlyArray<string>) =>
    new Promise<{ readonly code: number; readonly said: string; readonly megabytes: number }>((done) => {
      const child = spawn(cli.program, [...cli.roots, "--config", join(cli.directory, "config"), ...argv], {
        env: environment, stdio: ["ignore", "pipe", "pipe"]
      })
      let [said, megabytes] = ["", 0]
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => { said += data.toString() })
      const timer = setInterval(() => { megabytes = Math.max(megabytes, largestSize(child.pid!)) }, lookEvery)
      child.on("close", (code) => {
        clearInterval(timer)
        done({ code: code ?? -1, said, megabytes })
      })
    })

  const left = (...names: ReadonlyArray<string>): ReadonlyArray<string> =>
    names.flatMap((name) => {
      const path = join(cli.engine.paths.root, name)
      return existsSync(path) ? readdirSync(path).map((entry) => `${name}/${entry}`) : []
    })

  /** Refused, in words that name what was done to what, and with nothing left. */
  const expectRefused = async (argv: ReadonlyArray<string>, told: RegExp, object: RegExp): Promise<void> => {
    const { code, megabytes, said } = await fx(...argv)
    assert.strictEqual(code, 1, said)
    assert.match(said, told)
    assert.match(said, object)
    assert.match(said, /^fx-engine: .+: .+/m, "what was done, and why not")
    assert.notMatch(said, /\n\s+at \S+ \(|undefined|\[object/)
    assert.isBelow(megabytes, mostMegabytes)
    assert.deepStrictEqual(left("overlay2"), [], said)
    assert.deepStrictEqual(left("ingest").filter((name) => name.includes("new-")), [], said)
    const check = await fx("system", "check")
    assert.match(check.said, /agree/)
    const pruned = await fx("image", "prune", "-f")
    assert.strictEqual(pruned.code, 0, pruned.said)
    assert.deepStrictEqual(left("blobs/sha256", "blobs/sha512", "ingest", "overlay2"), [])
    assert.deepStrictEqual(cli.engine.leftovers(), [])
  }

  /** A test that fails says nothing about the next. */
  afterEach(async () => {
    if (left("overlay2", "blobs/sha256").length === 0) return
    const ids = (await fx("images", "-q", "--no-trunc", "-f", "dangling=true")).said.split("\n").filter((id) => id !== "")
    if (ids.length > 0) await fx("rmi", "-f", ...ids)
    await fx("image", "prune", "-af")
  }, 120_000 * patience)

  describe("in an archive", () => {
    for (const { bytes, name, told } of hostileImages) {
      it(name, { timeout: 120_000 * patience }, () => {
        writeFileSync(join(cli.directory, "hostile.tar"), bytes())
        return expectRefused(["load", "-i", join(cli.directory, "hostile.tar")], told, /hostile\.tar|sha256:|UPPER/)
      })
    }
  })

  describe("in a registry", () => {
    type Answer = (request: IncomingMessage, response: ServerResponse) => void
    let server: Server
    let contents = new Contents()
    /** The one that the tag leads to. */
    let top: Descriptor
    /** Paths that are not answered as usual, by a part of them. */
    let odd: ReadonlyArray<readonly [part: string, answer: Answer]> = []

    const answer: Answer = (request, response) => {
      const url = request.url ?? ""
      const other = odd.find(([part]) => url.includes(part))
      if (other !== undefined) return other[1](request, response)
      if (url === "/v2/") return void response.writeHead(200, { "docker-distribution-api-version": "registry/2.0" }).end("{}")
      const found = /\/v2\/lying\/(manifests|blobs)\/(.+)$/.exec(url)
      const digest = found?.[2] === "1" ? top.digest : found?.[2] ?? ""
      const bytes = contents.blobs.get(digest)
      if (bytes === undefined) return void response.writeHead(404).end(`{"errors":[{"code":"MANIFEST_UNKNOWN"}]}`)
      const type = found?.[1] === "blobs" ? "application/octet-stream" : digest === top.digest ? top.mediaType : mediaTypes.manifest
      response.writeHead(200, { "content-type": type, "content-length": bytes.length, "docker-content-digest": digest })
      response.end(request.method === "HEAD" ? undefined : bytes)
    }

    beforeAll(async () => {
      server = createServer((request, response) => answer(request, response))
      await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening))
    })
    afterAll(() => {
      server.closeAllConnections()
      return new Promise((closed) => server.close(closed))
    })

    const serve = (wish: Wish, others: typeof odd = []): void => {
      contents = new Contents()
      top = imageOf(contents, wish)
      odd = others
    }
    const host = () => `127.0.0.1:${(server.address() as AddressInfo).port}`
    const pulled = (told: RegExp, reference = "lying:1") =>
      expectRefused(["pull", `${host()}/${reference}`], told, /lying|sha256:/)
    const bodies = (bytes: Uint8Array, headers: object = {}): Answer => (_, response) =>
      void response.writeHead(200, { "content-type": "application/octet-stream", "content-length": bytes.length, ...headers }).end(bytes)
    const blobPart = (digest: string) => `/blobs/${digest}`
    const limit = { timeout: 180_000 * patience }
    const manifestWith = (change: (parts: { config: Descriptor; layer: Descriptor }) => object): Wish => ({
      manifest: (parts) => ({ schemaVersion: 2, mediaType: mediaTypes.manifest, config: parts.config, layers: [parts.layer], ...change(parts) })
    })

    it("what is as it should be is taken", limit, async () => {
      serve({})
      const { code, said } = await fx("pull", `${host()}/lying:1`)
      assert.strictEqual(code, 0, said)
      const id = digestOf(json(configOf([goodLayer])))
      assert.strictEqual((await fx("rmi", "-f", id)).code, 0)
      assert.deepStrictEqual(left("blobs/sha256", "ingest", "overlay2"), [])
    })

    it("other contents of a layer", limit, () => {
      serve({}, [[blobPart(digestOf(goodLayer)), bodies(new Uint8Array(goodLayer.length))]])
      return pulled(/digest|verified|sha256/)
    })

    it("contents of a layer that are longer than said", limit, () => {
      serve({}, [[blobPart(digestOf(goodLayer)), bodies(new Uint8Array([...goodLayer, 1]))]])
      return pulled(/bytes|size|long/)
    })

    it("contents of a layer that are shorter than said", limit, () => {
      serve({}, [[blobPart(digestOf(goodLayer)), bodies(goodLayer.subarray(0, 700))]])
      return pulled(/bytes|size|short/)
    })

    it("contents of a layer that never end", limit, () => {
      serve({}, [[blobPart(digestOf(goodLayer)), (_, response) => {
        response.writeHead(200, { "content-type": "application/octet-stream" })
        const write = (): void => {
          while (!response.destroyed && response.write(new Uint8Array(1 << 16)));
          if (!response.destroyed) response.once("drain", write)
        }
        write()
      }]])
      return pulled(/bytes|size|long/)
    })

    it("other contents of the config", limit, () => {
      serve({}, [[blobPart(digestOf(json(configOf([goodLayer])))), bodies(json({ os: "linux" }))]])
      return pulled(/bytes|size|digest/)
    })

    it("a layer whose size is another", limit, () => {
      serve(manifestWith(({ layer }) => ({ layers: [{ ...layer, size: layer.size + 512 }] })))
      return pulled(/bytes|size/)
    })

    it("a layer that is not there", limit, () => {
      serve({}, [[blobPart(digestOf(goodLayer)), (_, response) => void response.writeHead(404).end()]])
      return pulled(/not|missing|unknown/)
    })

    it("a manifest that is not what its digest says", limit, () => {
      serve({})
      const digest = `sha256:${"1".repeat(64)}`
      odd = [[`/manifests/${digest}`, bodies(contents.blobs.get(top.digest)!, { "content-type": mediaTypes.manifest })]]
      return pulled(/digest|sha256/, `lying@${digest}`)
    })

    it("a manifest that was served as something else", limit, () => {
      serve({})
      odd = [["/manifests/", bodies(contents.blobs.get(top.digest)!, { "content-type": mediaTypes.index })]]
      return pulled(/served as|media type/)
    })

    it("a manifest that is an index, too", limit, () => {
      serve(manifestWith(({ config }) => ({ manifests: [config] })))
      return pulled(/can be read as a manifest/)
    })

    it("a manifest of many megabytes", limit, () => {
      serve({}, [["/manifests/", bodies(new Uint8Array(40 << 20).fill(32), { "content-type": mediaTypes.manifest })]])
      return pulled(/bytes|large|long/)
    })

    it("an index that leads to itself", limit, () => {
      serve({})
      const digest = `sha256:${"2".repeat(64)}`
      const index = json({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [{ mediaType: mediaTypes.index, digest, size: 300 }] })
      odd = [["/manifests/", bodies(index, { "content-type": mediaTypes.index })]]
      return pulled(/digest|index/)
    })

    it("a layer that is not what the config says", limit, () => {
      serve({ config: configOf([Buffer.from("other")]) })
      return pulled(/sha256/)
    })

    it("a layer that leaves its root", limit, () => {
      serve({ tar: tarArchive([{ path: "../../evil", data: Buffer.from("x") }]) })
      return pulled(/\.\./)
    })

    it("a redirect to a file of this host", limit, () => {
      serve({}, [[blobPart(digestOf(goodLayer)), (_, response) => void response.writeHead(307, { location: "file:///etc/passwd" }).end()]])
      return pulled(/redirect|file:/)
    })

    for (const [format, compress] of [["gzip", gzipSync], ["zstd", zstdCompressSync]] as const) {
      it(`a layer that expands far too much, in ${format}`, limit, () => {
        const tar = zeros(280)
        serve({ layer: new Uint8Array(compress(tar)), mediaType: layerType(format), config: configOf([tar]) })
        return pulled(/bytes for each compressed byte/)
      })
    }
  })
})
