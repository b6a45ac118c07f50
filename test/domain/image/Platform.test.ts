/** Which images run on which host, and which of an index is taken. */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { referenceTypeKey } from "../../../src/domain/image/Annotations.ts"
import { chooseManifests } from "../../../src/domain/image/chooseManifests.ts"
import type { Descriptor } from "../../../src/domain/image/Descriptor.ts"
import type { ImageIndex } from "../../../src/domain/image/ImageIndex.ts"
import { ociIndex } from "../../../src/domain/image/MediaType.ts"
import {
  describePlatform, formatPlatform, type ImagePlatform, normalizePlatform, platformOf, platformRank, runnablePlatforms
} from "../../../src/domain/image/Platform.ts"
import { causeOf, success } from "../text/results.ts"
import { descriptor, manifestOf } from "./arbitraries.ts"

const platform = (text: string, more: Partial<ImagePlatform> = {}): ImagePlatform => {
  const [os = "", architecture = "", variant = ""] = text.split("/")
  return normalizePlatform({ os, architecture, variant, ...more })
}

describe("a platform", () => {
  it.each([
    ["linux/x86_64", "linux/amd64"], ["Linux/X86-64", "linux/amd64"], ["linux/amd64/v1", "linux/amd64"],
    ["linux/amd64/v2", "linux/amd64/v2"], ["linux/i386", "linux/386"], ["linux/aarch64", "linux/arm64"],
    ["linux/arm64/8", "linux/arm64"], ["linux/arm64/v8", "linux/arm64"], ["linux/arm64/v9", "linux/arm64/v9"],
    ["linux/armhf", "linux/arm/v7"], ["linux/armel", "linux/arm/v6"], ["linux/arm", "linux/arm/v7"],
    ["linux/arm/7", "linux/arm/v7"], ["linux/arm/5", "linux/arm/v5"], ["macos/arm64", "darwin/arm64"],
    ["linux/riscv64", "linux/riscv64"]
  ])("%s is written %s", (text, canonical) => {
    expect(formatPlatform(platform(text))).toBe(canonical)
  })

  it("is the same once more normalised, and once described and read", () => {
    const words = fc.constantFrom("amd64", "arm64", "arm", "x86_64", "aarch64", "armhf", "386", "s390x")
    const variants = fc.constantFrom("", "v1", "v5", "7", "v8", "v9.2", "V3")
    const versions = fc.constantFrom("", "10.0.1.2")
    fc.assert(fc.property(words, variants, versions, fc.array(fc.constantFrom("b", "a")), (architecture, variant, osVersion, osFeatures) => {
      const once = normalizePlatform({ os: "linux", architecture, variant, osVersion, osFeatures })
      expect(normalizePlatform(once)).toEqual(once)
      expect(platformOf(describePlatform(once))).toEqual(once)
    }))
  })

  it("of nothing is none", () => {
    expect(platformOf(undefined)).toBeUndefined()
    expect(platformOf({ os: "", architecture: "" })).toBeUndefined()
  })
})

describe("a host runs", () => {
  it.each([
    ["linux/amd64", "linux/amd64 linux/386"],
    ["linux/amd64/v3", "linux/amd64/v3 linux/amd64/v2 linux/amd64 linux/386"],
    ["linux/arm/v7", "linux/arm/v7 linux/arm/v6 linux/arm/v5"],
    ["linux/arm/v5", "linux/arm/v5"],
    ["linux/arm64", "linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5"],
    ["linux/arm64/v8.1", "linux/arm64/v8.1 linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5"],
    ["linux/arm64/v9", "linux/arm64/v9 linux/arm64/v8.5 linux/arm64/v8.4 linux/arm64/v8.3 linux/arm64/v8.2 " +
      "linux/arm64/v8.1 linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5"],
    ["linux/s390x", "linux/s390x"]
  ])("on %s: %s", (host, runnable) => {
    expect(runnablePlatforms(platform(host)).map(formatPlatform).join(" ")).toBe(runnable)
  })

  it("no newer variant than its own, no other system, and strictly only itself", () => {
    expect(platformRank(platform("linux/arm/v6"), platform("linux/arm/v7"))).toBeUndefined()
    expect(platformRank(platform("linux/amd64"), platform("linux/amd64/v2"))).toBeUndefined()
    expect(platformRank(platform("linux/amd64"), platform("windows/amd64"))).toBeUndefined()
    expect(platformRank(platform("linux/amd64"), platform("linux/386"))).toBe(1)
    expect(platformRank(platform("linux/amd64"), platform("linux/386"), true)).toBeUndefined()
    expect(platformRank(platform("linux/arm64"), platform("linux/arm64/v8"), true)).toBe(0)
  })

  it("of Windows images those of its build, and only what needs no feature that it lacks", () => {
    const host = platform("windows/amd64", { osVersion: "10.0.17763.100", osFeatures: ["win32k"] })
    expect(platformRank(host, platform("windows/amd64", { osVersion: "10.0.17763.5" }))).toBe(0)
    expect(platformRank(host, platform("windows/amd64", { osVersion: "10.0.20348.5" }))).toBeUndefined()
    expect(platformRank(host, platform("windows/amd64", { osFeatures: ["win32k"] }))).toBe(0)
    expect(platformRank(host, platform("windows/amd64", { osFeatures: ["other"] }))).toBeUndefined()
    expect(platformRank(platform("linux/amd64", { osVersion: "6.1" }), platform("linux/amd64", { osVersion: "5.4" }))).toBe(0)
  })
})

describe("of an index", () => {
  const entry = (text: string): Descriptor => manifestOf(text, { platform: describePlatform(platform(text)) })
  const indexOf = (...manifests: ReadonlyArray<Descriptor>): ImageIndex => ({ schemaVersion: 2, manifests })
  const attestation = manifestOf("proof", {
    platform: { os: "unknown", architecture: "unknown" }, annotations: { [referenceTypeKey]: "attestation-manifest" }
  })
  const choose = (index: ImageIndex, wanted: string, strict = false) =>
    chooseManifests(index, platform(wanted), { name: "app:1", strict })

  it("the best match comes first, whatever the order", () => {
    const all = [entry("linux/386"), entry("linux/arm/v5"), entry("linux/amd64"), entry("linux/arm/v7"), entry("linux/arm64")]
    fc.assert(fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (manifests) => {
      const index = indexOf(...manifests)
      expect(success(choose(index, "linux/amd64/v2"))).toEqual([all[2], all[0]])
      expect(success(choose(index, "linux/arm/v6"))).toEqual([all[1]])
      expect(success(choose(index, "linux/arm64"))).toEqual([all[4], all[3], all[1]])
    }))
  })

  it("equals stay in its order", () => {
    const [one, two] = [entry("linux/amd64"), { ...entry("linux/amd64"), size: 77 }]
    expect(success(choose(indexOf(two, one), "linux/amd64"))[0]).toBe(two)
    expect(success(choose(indexOf(one, two), "linux/amd64"))[0]).toBe(one)
  })

  it("what names no platform is tried last, attestations and artifacts never", () => {
    const nested = descriptor("nested", ociIndex)
    const artifact = manifestOf("sbom", { artifactType: "application/spdx+json" })
    const index = indexOf(attestation, artifact, nested, entry("linux/amd64"), descriptor("file", "text/plain"))
    expect(success(choose(index, "linux/amd64"))).toEqual([entry("linux/amd64"), nested])
    expect(success(choose(index, "linux/s390x"))).toEqual([nested])
  })

  it("without a match, what it offers is said", () => {
    const missing = choose(indexOf(entry("linux/amd64"), attestation, entry("linux/arm/v7")), "linux/s390x")
    expect(causeOf(missing)).toBe("no matching manifest for linux/s390x in the manifest list entries")
    expect(missing).toMatchObject({ failure: { cure: "it offers linux/amd64, linux/arm/v7: choose one with --platform" } })
    expect(causeOf(choose(indexOf(entry("linux/386")), "linux/amd64", true))).toContain("no matching manifest")
  })
})
