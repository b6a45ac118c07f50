/** Archives of docker save and OCI layouts: read from strangers, and written so that both kinds of reader are content. */
import { describe, expect, it } from "vitest"
import { type ArchiveEntry, composeArchive, type SavedImage } from "../../../src/domain/image/composeArchive.ts"
import { archiveKind, encodeArchiveManifest, parseArchiveManifest } from "../../../src/domain/image/dockerArchive.ts"
import { decodeManifest } from "../../../src/domain/image/ManifestDocument.ts"
import { blobPath, checkLayout, encodeLayout, parseLayoutIndex } from "../../../src/domain/image/ociLayout.ts"
import { defaultDomain as hub, familiarReference, parseReference } from "../../../src/domain/image/Reference.ts"
import { causeOf, success } from "../text/results.ts"
import { bytesOf, configOf, descriptor, layerOf, manifestOf, sha256, textOf } from "./arbitraries.ts"

const name = (text: string) => success(parseReference(text))
const item = { Config: "c.json", RepoTags: ["app:1", "a.b/app:2"], Layers: ["1/layer.tar", "./2/layer.tar"] }
const read = (value: unknown) => parseArchiveManifest(bytesOf(value), "app.tar")

describe("manifest.json", () => {
  it("names the images of an archive", () => {
    expect(success(read([item, { Config: "d.json", RepoTags: null, Layers: null }]))).toEqual([
      { config: "c.json", layers: ["1/layer.tar", "2/layer.tar"], tags: [name("app:1"), name("a.b/app:2")], layerSources: {} },
      { config: "d.json", layers: [], tags: [], layerSources: {} }
    ])
  })

  it.each(["../c.json", "/c.json", "a/../../c", "a//b", "a/./b", "", ".", "..", "a/..", "c\0.json", "./"])(
    "has no path like %j, which leads out of the archive or nowhere",
    (path) => {
      expect(causeOf(read([{ ...item, Config: path }]))).toContain("is no path inside the archive")
      expect(causeOf(read([{ ...item, Layers: ["a", path] }]))).toContain("is no path inside the archive")
    }
  )

  it.each([
    [{}, "Expected array"], [[{}], "Config"], [[{ ...item, Layers: [1] }], "Layers"],
    [[{ ...item, RepoTags: ["app"] }], "\"app\" of RepoTags is no name with a tag"],
    [[{ ...item, RepoTags: ["App:1"] }], "must be lowercase"],
    [[{ ...item, RepoTags: [`app@${sha256("x")}`] }], "is no name with a tag"],
    [[{ ...item, Config: "c".repeat(5000) }], "Config"],
    [Array.from({ length: 1025 }, () => item), "1024"]
  ])("is not %j", (value, cause) => {
    expect(causeOf(read(value))).toContain(cause)
  })

  it("that we write is read again", () => {
    const images = success(read([item, { Config: "d.json", Layers: [] }]))
    expect(success(parseArchiveManifest(encodeArchiveManifest(images), "x"))).toEqual(images)
  })
})

describe("an archive", () => {
  const kind = (...names: ReadonlyArray<string>) => archiveKind(new Set(names), "app.tar")

  it("is known by its files", () => {
    expect(success(kind("manifest.json", "repositories"))).toBe("docker")
    expect(success(kind("oci-layout", "index.json"))).toBe("oci")
    expect(success(kind("oci-layout", "index.json", "manifest.json"))).toBe("both")
    expect(causeOf(kind("repositories"))).toContain("before version 1.10")
    expect(causeOf(kind("etc/passwd", "index.json"))).toContain("neither manifest.json nor oci-layout")
  })
})

describe("an OCI layout", () => {
  it("is of the one version", () => {
    expect(checkLayout(encodeLayout(), "x")).toMatchObject({ _tag: "Success" })
    expect(causeOf(checkLayout(bytesOf({ imageLayoutVersion: "2.0.0" }), "x"))).toBe("its version is 2.0.0")
    expect(causeOf(checkLayout(bytesOf({}), "x"))).toContain("imageLayoutVersion")
  })

  it("names images in full, by a tag, or not", () => {
    const entry = (annotations?: { readonly [key: string]: string }) => manifestOf("m", annotations === undefined ? {} : { annotations })
    const ref = (text: string) => ({ "org.opencontainers.image.ref.name": text })
    const entries = [
      entry(), entry(ref("1.0")), entry(ref("a.b/app:1")), entry({ ...ref("1"), "io.containerd.image.name": "a.b/app:2" }),
      entry(ref("not a name"))
    ]
    const found = success(parseLayoutIndex(bytesOf({ schemaVersion: 2, manifests: entries }), "x"))
    expect(found.map(({ reference, tag }) => [reference && familiarReference(reference), tag])).toEqual([
      [undefined, undefined], [undefined, "1.0"], ["a.b/app:1", undefined], ["a.b/app:2", undefined], [undefined, undefined]
    ])
    expect(found.map((image) => image.descriptor)).toEqual(entries)
  })

  it("has an index, not a manifest, in index.json", () => {
    const manifest = { schemaVersion: 2, config: configOf("c"), layers: [] }
    expect(causeOf(parseLayoutIndex(bytesOf(manifest), "x"))).toContain("where an index is wanted")
  })

  it("has its blobs by algorithm and hash", () => {
    expect(blobPath(sha256("x"))).toBe(`blobs/sha256/${sha256("x").slice(7)}`)
  })
})

describe("a saved archive", () => {
  const foreign = descriptor("f", "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", { urls: ["https://a.example/f"] })
  const saved = (title: string, tags: ReadonlyArray<string>): SavedImage => ({
    manifest: manifestOf(`m${title}`), config: configOf(`c${title}`), layers: [layerOf("shared"), layerOf(`top${title}`)],
    diffIds: [sha256("d1"), sha256(`d${title}`)], tags: tags.map(name)
  })
  const images = [saved("A", ["app:1", "app:2"]), { ...saved("B", []), layers: [layerOf("shared"), foreign] }]
  const entries = composeArchive(images)
  const bytes = (path: string): Uint8Array => {
    const found = entries.find((entry) => entry.path === path)
    if (found?._tag !== "File") throw new Error(`no file ${path}`)
    return found.bytes
  }
  const blobs = entries.filter((entry): entry is Extract<ArchiveEntry, { _tag: "Blob" }> => entry._tag === "Blob")

  it("is a docker archive", () => {
    expect(success(archiveKind(new Set(entries.map(({ path }) => path)), "x"))).toBe("both")
    const read = success(parseArchiveManifest(bytes("manifest.json"), "x"))
    expect(read.map(({ tags }) => tags.map(familiarReference))).toEqual([["app:1", "app:2"], []])
    expect(read.map(({ layers }) => layers)).toEqual(images.map(({ layers }) => layers.map(({ digest }) => blobPath(digest))))
    expect(read[1]?.layerSources).toEqual({ [sha256("dB")]: foreign })
    expect(read[0]?.layerSources).toEqual({})
    expect(JSON.parse(textOf(bytes("repositories")))).toEqual({ app: { 1: sha256("dA").slice(7), 2: sha256("dA").slice(7) } })
  })

  it("is an OCI layout", () => {
    expect(checkLayout(bytes("oci-layout"), "x")).toMatchObject({ _tag: "Success" })
    expect(decodeManifest(bytes("index.json"), { name: "x" })).toMatchObject({ success: { _tag: "Index" } })
    const listed = success(parseLayoutIndex(bytes("index.json"), "x"))
    expect(listed.map(({ descriptor: { digest }, reference }) => [digest, reference && familiarReference(reference)])).toEqual([
      [sha256("mA"), "app:1"], [sha256("mA"), "app:2"], [sha256("mB"), undefined]
    ])
    expect(listed[0]?.descriptor.annotations).toEqual({
      "io.containerd.image.name": `${hub}/library/app:1`, "org.opencontainers.image.ref.name": "1"
    })
  })

  it("holds each blob once, after the documents, all that these name", () => {
    const paths = blobs.map(({ path }) => path)
    expect(paths).toEqual([...new Set(paths)].sort())
    expect(entries.slice(0, 4).map(({ path }) => path)).toEqual(["oci-layout", "index.json", "manifest.json", "repositories"])
    for (const { config, layers, manifest } of images) {
      for (const { digest } of [manifest, config, ...layers]) expect(paths).toContain(blobPath(digest))
    }
    expect(paths).toHaveLength(7)
  })

  it("of an image without a name has no repositories file, and is the same bytes each time", () => {
    const unnamed = composeArchive([saved("C", [])])
    expect(unnamed.map(({ path }) => path)).not.toContain("repositories")
    expect(composeArchive([saved("C", [])])).toEqual(unnamed)
  })
})
