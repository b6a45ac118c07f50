/**
 * Which images run where (containerd/platforms): platforms in canonical form, and the platforms that a host can stand in
 * for, the best first. Texts of `--platform` are read by text/flags/Platform.ts.
 */
import { formatPlatform, normalizeArchitecture, normalizeSystem, type Platform } from "../text/flags/Platform.ts"
import { compareBytes } from "../text/Utf8.ts"
import type { DescriptorPlatform } from "./Descriptor.ts"

/** Canonical: what is equal is written in one way only. */
export interface ImagePlatform extends Platform {
  /** "" where it is not said; of Windows `10.0.17763.1234`. */
  readonly osVersion: string
  /** Features that the image needs or the host has, in order. */
  readonly osFeatures: ReadonlyArray<string>
}

const defaultVariant = (architecture: string, variant: string): string =>
  architecture === "arm64" && variant === "v8" ? "" : variant

export const normalizePlatform = (given: {
  readonly os: string
  readonly architecture: string
  readonly variant?: string
  readonly osVersion?: string
  readonly osFeatures?: ReadonlyArray<string>
}): ImagePlatform => {
  const { architecture, variant } = normalizeArchitecture(given.architecture, given.variant ?? "")
  return {
    os: normalizeSystem(given.os),
    architecture,
    variant: defaultVariant(architecture, variant),
    osVersion: given.osVersion ?? "",
    osFeatures: [...new Set(given.osFeatures ?? [])].sort(compareBytes)
  }
}

/** Of a descriptor or an image's config; undefined if it names neither system nor architecture. */
export const platformOf = (described: DescriptorPlatform | undefined): ImagePlatform | undefined => {
  const { architecture = "", os = "", variant = "", "os.features": osFeatures = [], "os.version": osVersion = "" } =
    described ?? {}
  return os === "" && architecture === ""
    ? undefined
    : normalizePlatform({ os, architecture, variant, osVersion, osFeatures })
}

/** The fields of a canonical platform as descriptors and configs have them. */
export const describePlatform = (platform: ImagePlatform): DescriptorPlatform => ({
  architecture: platform.architecture,
  os: platform.os,
  ...(platform.variant === "" ? {} : { variant: platform.variant }),
  ...(platform.osVersion === "" ? {} : { "os.version": platform.osVersion }),
  ...(platform.osFeatures.length === 0 ? {} : { "os.features": platform.osFeatures })
})

export { formatPlatform }

/** Numbers from `from` down to `to`. */
const countdown = (from: number, to: number): ReadonlyArray<number> =>
  Array.from({ length: Math.max(0, from - to + 1) }, (_, index) => from - index)

type Place = readonly [architecture: string, variant: string]

/** Minor versions that are believed; the greatest that exist are v8.9 and v9.6. */
const greatestMinor = 9

const arm32 = (variant: string): ReadonlyArray<Place> => {
  const version = /^v([5-8])$/.exec(variant)?.[1]
  return version === undefined
    ? [["arm", variant]]
    : countdown(Number(version), 5).map((number): Place => ["arm", `v${number}`])
}

/** arm64 v9.x has all of v8.(x+5): Arm's architecture manual. Then come the 32-bit programs of v8. */
const arm64 = (variant: string): ReadonlyArray<Place> => {
  const version = /^v([89])(?:\.([0-9]))?$/.exec(variant === "" ? "v8" : variant)
  if (version === null) return [["arm64", variant]]
  const minor = Number(version[2] ?? 0)
  const of = (major: number, from: number) =>
    countdown(Math.min(from, greatestMinor), 0).map((number): Place =>
      ["arm64", defaultVariant("arm64", number === 0 ? `v${major}` : `v${major}.${number}`)])
  return version[1] === "9" ? [...of(9, minor), ...of(8, minor + 5), ...arm32("v8")] : [...of(8, minor), ...arm32("v8")]
}

const amd64 = (variant: string): ReadonlyArray<Place> => {
  const version = /^v([2-9])$/.exec(variant)?.[1]
  const own: ReadonlyArray<Place> = version === undefined
    ? [["amd64", variant]]
    : countdown(Number(version), 1).map((number): Place => ["amd64", number === 1 ? "" : `v${number}`])
  return [...own, ["386", ""]]
}

const placesOf = ({ architecture, variant }: ImagePlatform): ReadonlyArray<Place> => {
  switch (architecture) {
    case "amd64": return amd64(variant)
    case "arm64": return arm64(variant)
    case "arm": return arm32(variant)
    default: return [[architecture, variant]]
  }
}

/**
 * The platforms whose programs run on `host`, the best first: itself, older variants, and the 32-bit architecture that it
 * includes.
 */
export const runnablePlatforms = (host: ImagePlatform): ReadonlyArray<ImagePlatform> =>
  placesOf(host).map(([architecture, variant]) => ({ ...host, architecture, variant }))

/** Windows runs images of its own build only: major, minor and build, without the revision. */
const sameBuild = (host: ImagePlatform, image: ImagePlatform): boolean => {
  const build = (version: string) => version.split(".").slice(0, 3).join(".")
  return host.os !== "windows" || host.osVersion === "" || image.osVersion === "" ||
    build(host.osVersion) === build(image.osVersion)
}

/** Whether an image of exactly this platform is meant; features that it needs must be there. */
export const isPlatform = (wanted: ImagePlatform, image: ImagePlatform): boolean =>
  wanted.os === image.os && wanted.architecture === image.architecture && wanted.variant === image.variant &&
  sameBuild(wanted, image) && image.osFeatures.every((feature) => wanted.osFeatures.includes(feature))

/**
 * How well an image serves: 0 is best, undefined not at all. `strict` as for an explicit `--platform` in docker's
 * containerd store: no other variant, no other architecture.
 */
export const platformRank = (wanted: ImagePlatform, image: ImagePlatform, strict = false): number | undefined => {
  const runnable = strict ? [wanted] : runnablePlatforms(wanted)
  const rank = runnable.findIndex((platform) => isPlatform(platform, image))
  return rank < 0 ? undefined : rank
}
