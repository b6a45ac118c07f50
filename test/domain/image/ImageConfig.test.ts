/** Configs of images: read from strangers, checked against their manifest, composed for images of ours. */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { chainIds } from "../../../src/domain/image/chainIds.ts"
import { composeConfig } from "../../../src/domain/image/composeConfig.ts"
import { checkLayers, decodeImageConfig, diffIdsOf, encodeImageConfig, type ImageConfig } from "../../../src/domain/image/ImageConfig.ts"
import { imageHistory } from "../../../src/domain/image/imageHistory.ts"
import { noImageDefaults } from "../../../src/domain/image/Defaults.ts"
import { normalizePlatform } from "../../../src/domain/image/Platform.ts"
import { parseReference } from "../../../src/domain/image/Reference.ts"
import { causeOf, success } from "../text/results.ts"
import { bytesOf, configOf, digests, layerOf, sha256 } from "./arbitraries.ts"

const config = {
  architecture: "amd64", os: "linux", created: "2024-05-06T07:08:09Z",
  config: { Env: ["PATH=/bin"], Cmd: ["sh"], Labels: { a: "b" }, Entrypoint: null, Volumes: { "/data": {} } },
  rootfs: { type: "layers", diff_ids: [sha256("1"), sha256("2")] },
  history: [
    { created: "2024-05-06T07:08:09Z", created_by: "ADD rootfs.tar" },
    { created_by: "ENV A=b", empty_layer: true },
    { created_by: "RUN make", comment: "by hand" }
  ],
  "vendor.cache": { kept: [1, 2] }
}

const read = (value: unknown) => decodeImageConfig(bytesOf(value), "sha256:x")

describe("an image's config", () => {
  it("is read with the keys that are not ours", () => {
    const decoded = success(read(config))
    expect(decoded).toEqual({
      ...config, config: { Env: ["PATH=/bin"], Cmd: ["sh"], Labels: { a: "b" }, Volumes: { "/data": {} } }
    })
    expect(diffIdsOf(decoded)).toEqual([sha256("1"), sha256("2")])
  })

  it("is written the same whatever the order of its keys, and read again", () => {
    const decoded = success(read(config))
    const shuffled = Object.fromEntries(Object.entries(decoded).reverse()) as ImageConfig
    expect(encodeImageConfig(shuffled)).toEqual(encodeImageConfig(decoded))
    expect(success(decodeImageConfig(encodeImageConfig(decoded), "x"))).toEqual(decoded)
  })

  it.each([
    [{ architecture: "amd64", os: "linux" }, "it has no rootfs"],
    [{ ...config, rootfs: { type: "tarball" } }, "rootfs"],
    [{ ...config, rootfs: { type: "layers", diff_ids: ["sha256:0"] } }, "diff_ids"],
    [{ ...config, config: { Env: "A=b" } }, "Env"],
    [{ ...config, config: { Labels: { a: 1 } } }, "Labels"],
    [{ ...config, history: [...config.history, {}] }, "its history tells of 3 layers, but rootfs.diff_ids has 2"]
  ])("%j is none", (value, cause) => {
    expect(causeOf(read(value))).toContain(cause)
  })

  it("may tell of fewer layers than it has, or of none", () => {
    expect(read({ ...config, history: null })).toMatchObject({ _tag: "Success" })
    expect(read({ ...config, history: config.history.slice(1) })).toMatchObject({ _tag: "Success" })
  })

  it("names one layer for each of the manifest's", () => {
    const decoded = success(read(config))
    const manifest = (count: number) =>
      ({ config: configOf("c"), layers: Array.from({ length: count }, (_, index) => layerOf(`${index}`)) })
    expect(checkLayers(decoded, manifest(2))).toMatchObject({ _tag: "Success" })
    expect(causeOf(checkLayers(decoded, manifest(1)))).toBe("it names 2 layers in rootfs.diff_ids, but the manifest has 1")
    expect(causeOf(checkLayers(decoded, manifest(3)))).toContain("has 3")
  })
})

describe("the chain ids of layers", () => {
  it("are the specification's", () => {
    const [a, b, c] = [sha256("a"), sha256("b"), sha256("c")] as const
    expect(chainIds([a, b, c], sha256)).toEqual([a, sha256(`${a} ${b}`), sha256(`${sha256(`${a} ${b}`)} ${c}`)])
    expect(chainIds([], sha256)).toEqual([])
  })

  it("are equal exactly as far as the stacks are", () => {
    fc.assert(fc.property(fc.array(digests, { maxLength: 5 }), fc.array(digests, { maxLength: 5 }), (below, above) => {
      const base = chainIds(below, sha256)
      expect(chainIds([...below, ...above], sha256).slice(0, below.length)).toEqual(base)
      const stack = [sha256("ground"), ...below, ...above]
      expect(new Set([...chainIds(stack, sha256), ...base.slice(1)]).size).toBe(stack.length + Math.max(0, base.length - 1))
    }))
  })
})

describe("the history of an image", () => {
  const id = sha256("image")
  const tags = [success(parseReference("app:1")), success(parseReference("a.b/app:2"))]
  const history = (value: object, layerSizes: ReadonlyArray<number>) =>
    imageHistory({ id, config: success(read({ ...config, ...value })), layerSizes, tags })

  it("is told newest first, steps without a layer taking nothing", () => {
    expect(success(history({}, [1000, 20]))).toEqual([
      { id, created: "", createdBy: "RUN make", size: 20, comment: "by hand", tags: ["app:1", "a.b/app:2"] },
      { id: "<missing>", created: "", createdBy: "ENV A=b", size: 0, comment: "", tags: [] },
      { id: "<missing>", created: "2024-05-06T07:08:09Z", createdBy: "ADD rootfs.tar", size: 1000, comment: "", tags: [] }
    ])
  })

  it("has a row for layers that it does not tell of: the sizes add up", () => {
    const short = success(history({ history: config.history.slice(0, 2) }, [1000, 20]))
    expect(short.map(({ createdBy, size }) => [createdBy, size])).toEqual([["", 20], ["ENV A=b", 0], ["ADD rootfs.tar", 1000]])
    expect(success(history({ history: null }, [1, 2])).map(({ id: row, size }) => [row, size])).toEqual([[id, 2], ["<missing>", 1]])
  })

  it("needs a size for each layer", () => {
    expect(causeOf(history({}, [1]))).toBe("it has 2 layers, but 1 are stored")
  })
})

describe("the config of an image of ours", () => {
  const platform = normalizePlatform({ os: "linux", architecture: "arm", variant: "v6" })
  const made = { platform, created: "2025-01-01T00:00:00Z", createdBy: "sh", author: "me", comment: "first" }

  it("from scratch has one layer, if any", () => {
    const composed = composeConfig({ ...made, defaults: { ...noImageDefaults, command: ["sh"] }, diffId: sha256("l") })
    expect(composed).toEqual({
      architecture: "arm", variant: "v6", os: "linux", created: made.created, author: "me", config: { Cmd: ["sh"] },
      rootfs: { type: "layers", diff_ids: [sha256("l")] },
      history: [{ created: made.created, author: "me", created_by: "sh", comment: "first" }]
    })
    const empty = composeConfig({ ...made, defaults: noImageDefaults })
    expect(empty.rootfs.diff_ids).toEqual([])
    expect(empty.history).toEqual([{ created: made.created, author: "me", created_by: "sh", comment: "first", empty_layer: true }])
  })

  it("on another image keeps its layers and history, and of its config what is not ours", () => {
    const base = success(read({ ...config, config: { ...config.config, "x-vendor": [1] }, history: config.history.slice(0, 2) }))
    const composed = composeConfig({ ...made, base, defaults: { ...noImageDefaults, user: "7" }, diffId: sha256("3") })
    expect(composed.config).toEqual({ "x-vendor": [1], User: "7" })
    expect(diffIdsOf(composed)).toEqual([sha256("1"), sha256("2"), sha256("3")])
    const rows = success(imageHistory({ id: sha256("i"), config: composed, layerSizes: [1, 2, 3], tags: [] }))
    expect(rows.map(({ createdBy, size }) => [createdBy, size])).toEqual([["sh", 3], ["", 2], ["ENV A=b", 0], ["ADD rootfs.tar", 1]])
    expect(success(decodeImageConfig(encodeImageConfig(composed), "x"))).toEqual(composed)
  })
})
