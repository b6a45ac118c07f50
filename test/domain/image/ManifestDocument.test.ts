/** Manifests and indexes of strangers: what is read, what is refused and why. */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { archivedName, foreignUrls } from "../../../src/domain/image/Descriptor.ts"
import { deepestIndex, encodeIndex, enterIndex, type IndexTrail } from "../../../src/domain/image/ImageIndex.ts"
import { documentLimits, parseDocument } from "../../../src/domain/image/JsonDocument.ts"
import { artifactTypeOf, encodeManifest } from "../../../src/domain/image/Manifest.ts"
import { decodeManifest, referencedDigests } from "../../../src/domain/image/ManifestDocument.ts"
import {
  dockerConfig, dockerLayer, dockerManifest, dockerManifestList, layerMedia, layerMediaType, mediaKind,
  ociConfig, ociEmpty, ociIndex, ociLayer, ociManifest
} from "../../../src/domain/image/MediaType.ts"
import { causeOf, success } from "../text/results.ts"
import { bytesOf, configOf, descriptor, layerOf, manifestOf, sha256, textOf } from "./arbitraries.ts"

const manifest = { schemaVersion: 2, mediaType: ociManifest, config: configOf("c"), layers: [layerOf("a"), layerOf("b")] }
const index = { schemaVersion: 2, mediaType: ociIndex, manifests: [manifestOf("m")] }

const read = (value: unknown, contentType?: string) =>
  decodeManifest(bytesOf(value), { name: "app:1", ...(contentType === undefined ? {} : { contentType }) })

const { mediaType: _manifestType, ...bareManifest } = manifest
const { mediaType: _indexType, ...bareIndex } = index

describe("a manifest", () => {
  it("is read as OCI's or Docker's, with what it refers to", () => {
    const oci = success(read(manifest, ociManifest))
    expect(oci).toEqual({ _tag: "Manifest", mediaType: ociManifest, manifest })
    expect(referencedDigests(oci)).toEqual([sha256("c"), sha256("a"), sha256("b")])
    const docker = {
      schemaVersion: 2, mediaType: dockerManifest, config: descriptor("c", dockerConfig),
      layers: [descriptor("a", `${dockerLayer}.gzip`)]
    }
    expect(success(read(docker, dockerManifest))).toMatchObject({ _tag: "Manifest", mediaType: dockerManifest })
  })

  it("may leave its media type to the Content-Type, or to its shape", () => {
    expect(success(read(bareManifest, ociManifest)).mediaType).toBe(ociManifest)
    expect(success(read(bareManifest, dockerManifest)).mediaType).toBe(dockerManifest)
    expect(success(read(bareManifest)).mediaType).toBe(ociManifest)
    expect(success(read(bareIndex)).mediaType).toBe(ociIndex)
    expect(success(read(manifest, "application/json; charset=utf-8")).mediaType).toBe(ociManifest)
    expect(success(read(manifest, `${ociManifest.toUpperCase()};charset=utf-8`)).mediaType).toBe(ociManifest)
  })

  it("of an artifact keeps its type, its subject and layers of unknown types", () => {
    const subject = manifestOf("signed")
    const artifact = {
      ...manifest, artifactType: "application/vnd.example.sbom", config: descriptor("{}", ociEmpty),
      layers: [descriptor("s", "application/spdx+json", { annotations: { title: "s" } })], subject
    }
    const document = success(read(artifact))
    expect(document).toEqual({ _tag: "Manifest", mediaType: ociManifest, manifest: artifact })
    expect(referencedDigests(document)).not.toContain(subject.digest)
    expect(document._tag === "Manifest" && artifactTypeOf(document.manifest)).toBe("application/vnd.example.sbom")
    const image = success(read(manifest))
    expect(image._tag === "Manifest" && artifactTypeOf(image.manifest)).toBeUndefined()
    const helm = success(read({ ...manifest, config: descriptor("h", "application/vnd.cncf.helm.config.v1+json") }))
    expect(helm._tag === "Manifest" && artifactTypeOf(helm.manifest)).toBe("application/vnd.cncf.helm.config.v1+json")
  })

  it("takes null for what is missing, as Go does", () => {
    const document = success(read({ ...manifest, annotations: null, subject: null, layers: [] }))
    expect(document).toEqual({ _tag: "Manifest", mediaType: ociManifest, manifest: { ...manifest, layers: [] } })
  })

  it("that we write is read again, and is the same bytes for the same image", () => {
    const written = encodeManifest({ config: manifest.config, layers: manifest.layers, annotations: { b: "2", a: "1" } })
    expect(success(decodeManifest(written, { name: "x" }))).toMatchObject({ manifest: { layers: manifest.layers } })
    const other = encodeManifest({ annotations: { a: "1", b: "2" }, layers: manifest.layers, config: manifest.config })
    expect(textOf(other)).toBe(textOf(written))
    expect(textOf(encodeIndex({ manifests: [] })))
      .toBe(`{"manifests":[],"mediaType":"${ociIndex}","schemaVersion":2}`)
  })
})

describe("an index", () => {
  it("is read as OCI's index or Docker's list", () => {
    expect(success(read(index, ociIndex))).toEqual({ _tag: "Index", mediaType: ociIndex, index })
    const list = { ...index, mediaType: dockerManifestList }
    expect(success(read(list, dockerManifestList))).toMatchObject({ _tag: "Index", mediaType: dockerManifestList })
  })

  it("may hold another, within a limit, and never itself", () => {
    const source = { kind: "index", name: "app:1" } as const
    let trail: IndexTrail = []
    for (let depth = 0; depth < deepestIndex; depth++) trail = success(enterIndex(trail, sha256(`${depth}`), source))
    expect(causeOf(enterIndex(trail, sha256("one more"), source))).toContain(`deeper than the ${deepestIndex} levels`)
    expect(causeOf(enterIndex([sha256("a")], sha256("a"), source))).toContain("contains itself")
  })
})

describe("a document is refused", () => {
  it.each([
    ["manifests beside layers", { ...manifest, manifests: [] }],
    ["manifests beside config alone", { schemaVersion: 2, manifests: [], config: manifest.config }],
    ["fsLayers beside layers", { ...manifest, fsLayers: [] }],
    ["fsLayers beside manifests", { ...index, fsLayers: [] }]
  ])("that can be read in two ways: %s", (_, document) => {
    expect(causeOf(read(document))).toContain("it can be read as a manifest")
  })

  it("whose keys some readers take for others", () => {
    expect(causeOf(read({ ...index, Layers: [] }))).toBe("the key \"Layers\" is read by some tools and not by others")
    expect(causeOf(read({ ...manifest, MANIFESTS: [] }))).toContain("\"MANIFESTS\"")
    const twice = JSON.stringify(manifest).replace("\"layers\"", "\"l\\u0061yers\":[],\"layers\"")
    expect(causeOf(read(twice))).toBe("the key \"layers\" is given twice in one object")
  })

  it("that was served as something else", () => {
    expect(causeOf(read(manifest, dockerManifest)))
      .toBe(`its mediaType is ${ociManifest}, but it was served as ${dockerManifest}`)
    expect(causeOf(read(manifest, "text/html"))).toContain("but it was served as text/html")
    expect(causeOf(read(bareManifest, ociIndex))).toContain("is that of an index, but it is a manifest")
    expect(causeOf(read({ ...bareIndex, mediaType: ociManifest }))).toContain("is that of a manifest, but it is an index")
    expect(causeOf(read(bareManifest, ociConfig))).toContain("neither a manifest's nor an index's media type")
    expect(causeOf(read({ ...bareManifest, mediaType: 7 }))).toContain("its mediaType is no string")
  })

  it("of schema 1, saying what to do", () => {
    const old = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    for (const result of [
      read({ schemaVersion: 1, name: "a", tag: "b", fsLayers: [{ blobSum: "x" }], history: [] }),
      read({ schemaVersion: 1 }), read(bareManifest, old)
    ]) {
      expect(causeOf(result)).toContain("schema 1, which is obsolete")
      expect(result).toMatchObject({ failure: { cure: expect.stringContaining("skopeo copy") } })
    }
  })

  it.each([
    ["{", "it is not JSON"],
    ["[]", "it is not a JSON object"],
    ["null", "it is not a JSON object"],
    ["{}", "it has neither layers nor manifests"],
    [{ ...manifest, schemaVersion: 3 }, "schemaVersion"],
    [{ ...bareManifest, config: undefined }, "config"],
    [{ ...manifest, layers: {} }, "layers"],
    [{ ...manifest, layers: [{ ...layerOf("a"), digest: "sha256:ab" }] }, "layers"],
    [{ ...manifest, layers: [{ ...layerOf("a"), digest: "md5:d41d8cd98f00b204e9800998ecf8427e" }] }, "Expected a digest"],
    [{ ...manifest, layers: [{ ...layerOf("a"), size: -1 }] }, "size"],
    [{ ...manifest, layers: [{ ...layerOf("a"), size: 0.5 }] }, "size"],
    [{ ...manifest, layers: [{ ...layerOf("a"), size: 2 ** 53 }] }, "size"],
    [{ ...manifest, layers: [{ ...layerOf("a"), mediaType: "nonsense" }] }, "Expected a media type"],
    [{ ...manifest, layers: [null] }, "layers"],
    [{ ...manifest, config: { ...configOf("four"), data: "AAAA" } }, "Expected data to be base64 of 4 bytes"],
    [{ ...manifest, annotations: { a: 1 } }, "annotations"]
  ])("%j is no manifest", (document, cause) => {
    expect(causeOf(read(document))).toContain(cause)
  })

  it("that is no UTF-8", () => {
    expect(causeOf(decodeManifest(Uint8Array.of(0x7b, 0xff, 0x7d), { name: "x" }))).toBe("it is not UTF-8")
  })

  it("beyond any limit, and within it is not", () => {
    const many = (count: number) => Array.from({ length: count }, () => layerOf("a"))
    const { annotations, annotationBytes, bytes, depth, descriptors, urlCharacters, urls } = documentLimits
    const nested = (levels: number) => ({ ...manifest, extra: JSON.parse("[".repeat(levels) + "]".repeat(levels)) as unknown })
    const pad = (size: number) => `${JSON.stringify(manifest)}${" ".repeat(size - JSON.stringify(manifest).length)}`
    const layered = (more: object) => ({ ...manifest, layers: [{ ...layerOf("a"), ...more }] })
    const within: ReadonlyArray<unknown> = [
      { ...manifest, layers: many(descriptors) }, { ...index, manifests: many(descriptors) }, nested(depth - 1), pad(bytes),
      layered({ urls: Array.from({ length: urls }, () => "u") }), layered({ urls: ["u".repeat(urlCharacters)] }),
      { ...manifest, annotations: { a: "é".repeat(annotationBytes / 2 - 1) } },
      { ...manifest, annotations: Object.fromEntries(Array.from({ length: annotations }, (_, key) => [`${key}`, ""])) }
    ]
    const beyond: ReadonlyArray<unknown> = [
      { ...manifest, layers: many(descriptors + 1) }, { ...index, manifests: many(descriptors + 1) }, nested(depth),
      pad(bytes + 1), layered({ urls: Array.from({ length: urls + 1 }, () => "u") }),
      layered({ urls: ["u".repeat(urlCharacters + 1)] }), { ...manifest, annotations: { a: "é".repeat(annotationBytes / 2) } },
      { ...manifest, annotations: Object.fromEntries(Array.from({ length: annotations + 1 }, (_, key) => [`${key}`, ""])) }
    ]
    within.forEach((document, place) => expect(read(document), `within ${place}`).toMatchObject({ _tag: "Success" }))
    beyond.forEach((document, place) => expect(read(document), `beyond ${place}`).toMatchObject({ _tag: "Failure" }))
  })

  it("in words of bounded length, that name the document", () => {
    const result = read({ ...manifest, layers: [{ ...layerOf("a"), digest: "x".repeat(1_000_000) }] })
    expect(result).toMatchObject({ failure: { message: expect.stringContaining("cannot read manifest \"app:1\"") } })
    expect(causeOf(result).length).toBeLessThan(1000)
  })
})

describe("a JSON document", () => {
  const source = { kind: "manifest", name: "x" } as const

  it("is what JSON.parse reads, but for null members", () => {
    const values = fc.object({ values: [fc.string(), fc.integer(), fc.boolean()], maxDepth: 4 })
    fc.assert(fc.property(values, (value) => {
      const text = JSON.stringify(value)
      expect(success(parseDocument(bytesOf(text), source))).toEqual(JSON.parse(text))
    }))
    const text = `{"a":null,"b":[null,{"c":null}],"":null,"__proto__":{"d":null}}`
    expect(JSON.stringify(success(parseDocument(bytesOf(text), source)))).toBe(`{"b":[null,{}],"__proto__":{}}`)
  })

  it("may hold anything in strings: braces, quotes and colons are not structure", () => {
    fc.assert(fc.property(fc.array(fc.string({ unit: fc.constantFrom("{", "[", "\"", "\\", ":", "a", ",") })), (texts) => {
      const value = { texts, more: Object.fromEntries(texts.map((text) => [text, text])) }
      expect(success(parseDocument(new TextEncoder().encode(JSON.stringify(value, null, 1)), source))).toEqual(value)
    }))
  })

  it("a million levels deep is refused without harm", () => {
    expect(causeOf(parseDocument(bytesOf("[".repeat(1e6) + "]".repeat(1e6)), source))).toContain("nested deeper")
  })
})

describe("a media type", () => {
  it("says how a layer is compressed and whether it is foreign", () => {
    expect(layerMedia(ociLayer)).toEqual({ compression: "none", foreign: false })
    expect(layerMedia(`${ociLayer}+zstd`)).toEqual({ compression: "zstd", foreign: false })
    expect(layerMedia("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")).toEqual({ compression: "gzip", foreign: true })
    expect(layerMedia("constructor")).toBeUndefined()
    for (const compression of ["none", "gzip", "zstd"] as const) {
      expect(layerMedia(layerMediaType(compression))).toEqual({ compression, foreign: false })
    }
  })

  it("is of a kind", () => {
    expect([ociManifest, dockerManifest, ociIndex, dockerManifestList, ociConfig, dockerConfig, ociLayer, "a/b"].map(mediaKind))
      .toEqual(["manifest", "manifest", "index", "index", "config", "config", "layer", "unknown"])
  })

  it("of a foreign layer lets its URLs be followed, those of http only", () => {
    const urls = ["https://a.example/l", "file:///etc/passwd", "HTTP://b.example", "ftp://c.example"]
    const foreign = descriptor("l", "application/vnd.oci.image.layer.nondistributable.v1.tar", { urls })
    expect(foreignUrls(foreign)).toEqual([urls[0], urls[2]])
    expect(foreignUrls({ ...foreign, mediaType: ociLayer })).toEqual([])
  })

  it("apart, a descriptor names its image in full or by a tag", () => {
    const named = (annotations: { readonly [key: string]: string }) => archivedName(manifestOf("m", { annotations }))
    expect(named({ "org.opencontainers.image.ref.name": "1" })).toBe("1")
    expect(named({ "org.opencontainers.image.ref.name": "1", "io.containerd.image.name": "a.b/c:1" })).toBe("a.b/c:1")
    expect(named({})).toBeUndefined()
  })
})
