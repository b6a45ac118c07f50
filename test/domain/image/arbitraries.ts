/** Random images and their parts for the tests of this room, and shorthands for documents. */
import { createHash } from "node:crypto"
import * as fc from "fast-check"
import type { Descriptor } from "../../../src/domain/image/Descriptor.ts"
import { type Digest, makeDigest } from "../../../src/domain/image/Digest.ts"
import { ociConfig, ociLayer, ociManifest } from "../../../src/domain/image/MediaType.ts"
import { defaultDomain as hub, type Reference } from "../../../src/domain/image/Reference.ts"

export const sha256 = (text: string | Uint8Array): Digest =>
  makeDigest("sha256", createHash("sha256").update(text).digest("hex"))

export const bytesOf = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value))

export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

export const descriptor = (name: string, mediaType: string, more: Partial<Descriptor> = {}): Descriptor =>
  ({ mediaType, digest: sha256(name), size: name.length, ...more })

export const layerOf = (name: string): Descriptor => descriptor(name, `${ociLayer}+gzip`)
export const configOf = (name: string): Descriptor => descriptor(name, ociConfig)
export const manifestOf = (name: string, more: Partial<Descriptor> = {}): Descriptor => descriptor(name, ociManifest, more)

const pick = (characters: string) => fc.constantFrom(...characters)

const hex = (length: number) => fc.string({ unit: pick("0123456789abcdef"), minLength: length, maxLength: length })

export const digests: fc.Arbitrary<Digest> = fc.oneof(
  hex(64).map((digits) => makeDigest("sha256", digits)),
  hex(128).map((digits) => makeDigest("sha512", digits))
)

const alphanumeric = fc.string({ unit: pick("abcxyz0189"), minLength: 1, maxLength: 4 })
const separator = fc.constantFrom(".", "_", "__", "-", "--", "---")
const component = fc.tuple(alphanumeric, fc.array(fc.tuple(separator, alphanumeric), { maxLength: 2 }))
  .map(([first, rest]) => first + rest.flat().join(""))

/** From the grammar: names, IPv4 and IPv6 addresses, ports; what it takes for a host, since others are paths. */
export const domains = fc.tuple(
  fc.constantFrom("localhost", "a.example", "Registry", "10.0.0.1", "x-y.Z9.test", "[::1]", "[fd00:1:2::a]", hub),
  fc.option(fc.nat(65_535), { nil: undefined })
).map(([host, port]) => port === undefined ? host : `${host}:${port}`)

export const paths = fc.oneof(
  fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/")),
  // What docker's short form makes ambiguous
  fc.constantFrom("localhost/x", "a.b/c", "library/localhost", "library/x/y", "ab".repeat(32)),
  fc.constant(`library/${"ab".repeat(32)}`)
)

export const tags = fc.tuple(
  pick("aZ09_"), fc.string({ unit: pick("aZ09_.-"), maxLength: 127 })
).map((parts) => parts.join(""))

/** Normalised, as `parseReference` makes them. */
export const references: fc.Arbitrary<Reference> = fc.record(
  { domain: domains, path: paths, tag: tags, digest: digests },
  { requiredKeys: ["domain", "path"] }
).map((reference) =>
  reference.domain === hub && !reference.path.includes("/")
    ? { ...reference, path: `library/${reference.path}` }
    : reference)
