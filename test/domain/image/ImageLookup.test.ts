/** Which stored image a user's word means. */
import { describe, expect, it } from "vitest"
import { type Digest, makeDigest } from "../../../src/domain/image/Digest.ts"
import { findImage, matches, matchingImages, type NamedImage, parseImageLookup } from "../../../src/domain/image/ImageLookup.ts"
import { defaultDomain as hub, parseReference } from "../../../src/domain/image/Reference.ts"
import { causeOf, success } from "../text/results.ts"
import { sha256 } from "./arbitraries.ts"

const idOf = (start: string): Digest => makeDigest("sha256", start.padEnd(64, "0"))
const name = (text: string) => success(parseReference(text))

const image = (id: string, tags: ReadonlyArray<string>, digests: ReadonlyArray<string> = []): NamedImage =>
  ({ id: idOf(id), tags: tags.map(name), digests: digests.map(name) })

const pulled = sha256("manifest")
const debian = image("abcd1111", ["debian:13", "debian:latest"], [`debian@${pulled}`])
const busybox = image("abcd2222", ["busybox:latest"])
const hexNamed = image("ffff", ["abcd1111:latest"])
const images = [debian, busybox, hexNamed, image("dead", [])]

const found = (text: string) => success(findImage(text, images))

describe("an image is found", () => {
  it("by its name, latest being meant where no tag is", () => {
    expect(found("debian")).toBe(debian)
    expect(found("debian:13")).toBe(debian)
    expect(found(`${hub}/library/debian:13`)).toBe(debian)
    expect(causeOf(findImage("debian:12", images))).toBe("No such image: debian:12")
    expect(causeOf(findImage("localhost/debian", images))).toBe("No such image: localhost/debian")
  })

  it("by its name at the digest it was pulled by, whatever the tag says", () => {
    expect(found(`debian@${pulled}`)).toBe(debian)
    expect(found(`debian:nonsense@${pulled}`)).toBe(debian)
    expect(causeOf(findImage(`busybox@${pulled}`, images))).toContain("No such image")
    expect(causeOf(findImage(`debian@${sha256("other")}`, images))).toContain("No such image")
  })

  it("by its id, whole or abbreviated, with sha256: or without", () => {
    expect(found(idOf("dead"))).toBe(images[3])
    expect(found("dead".padEnd(64, "0"))).toBe(images[3])
    expect(found("dead0")).toBe(images[3])
    expect(found("sha256:dead")).toBe(images[3])
    expect(causeOf(findImage("dea", images))).toBe("No such image: dea")
    expect(causeOf(findImage("DEAD", images))).toContain("must be lowercase")
  })

  it("by name before it is by an abbreviated id", () => {
    expect(found("abcd1111")).toBe(hexNamed)
    expect(found("sha256:abcd1111")).toBe(debian)
    expect(found("abcd11110")).toBe(debian)
  })

  it("only if the abbreviation means one image", () => {
    expect(causeOf(findImage("abcd", images))).toBe("multiple IDs found with provided prefix: abcd")
    expect(matchingImages(success(parseImageLookup("abcd")), images)).toEqual([debian, busybox])
    expect(success(findImage("abcd1", [debian, { ...debian }]))).toBe(debian)
  })

  it("and it is said how", () => {
    const how = (text: string) => matches(success(parseImageLookup(text)), debian)
    expect(how(debian.id)).toBe("id")
    expect(how("debian")).toBe("name")
    expect(how("abcd11")).toBe("prefix")
    expect(how("busybox")).toBeUndefined()
    expect(how(`debian@${debian.id}`)).toBe("name")
  })
})
