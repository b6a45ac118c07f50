/** Names of images: distribution's grammar, docker's abbreviations, and what a word means in a lookup. */
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { makeDigest, parseDigest, readDigest, shortDigest } from "../../../src/domain/image/Digest.ts"
import {
  defaultDomain as hub, familiarName, familiarReference, formatReference, isTag, parseReference, referenceLimits,
  withDefaultTag, withoutIdleTag
} from "../../../src/domain/image/Reference.ts"
import { causeOf, success } from "../text/results.ts"
import { digests, references, sha256 } from "./arbitraries.ts"

const digest = sha256("x")
const full = (text: string) => formatReference(success(parseReference(text)))

describe("a digest", () => {
  it("is an algorithm and a hash of its exact length", () => {
    fc.assert(fc.property(digests, (one) => {
      expect(success(parseDigest(one))).toBe(one)
      expect(readDigest(one.slice(0, -1))).toBeUndefined()
      expect(readDigest(`${one}0`)).toBeUndefined()
      expect(readDigest(one.toUpperCase())).toBeUndefined()
    }))
  })

  it.each([
    ["", "invalid checksum digest format"],
    [":abc", "invalid checksum digest format"],
    ["md5:d41d8cd98f00b204e9800998ecf8427e", "unsupported digest algorithm \"md5\""],
    ["constructor:00", "unsupported digest algorithm \"constructor\""],
    ["sha256:00", "invalid checksum digest length: sha256 has 64 hexadecimal digits, not 2"],
    [`sha512:${"0".repeat(64)}`, "invalid checksum digest length: sha512 has 128 hexadecimal digits, not 64"],
    [`sha256:${"G".repeat(64)}`, "invalid checksum digest format: only 0-9 and a-f in lower case"],
    [`sha256:${"0".repeat(63)}\n`, "invalid checksum digest format: only 0-9 and a-f in lower case"]
  ])("%j is none", (text, cause) => {
    expect(causeOf(parseDigest(text))).toBe(cause)
  })

  it("is shown by twelve digits, and made of a computed hash only", () => {
    expect(shortDigest(makeDigest("sha256", "0123456789abcdef".repeat(4)))).toBe("0123456789ab")
    expect(() => makeDigest("sha256", "../../etc/passwd")).toThrow(RangeError)
  })
})

describe("a reference", () => {
  it.each([
    ["debian", `${hub}/library/debian`],
    ["debian:13", `${hub}/library/debian:13`],
    ["team/app", `${hub}/team/app`],
    [`${hub}/debian`, `${hub}/library/debian`],
    [`index.${hub}/debian:13`, `${hub}/library/debian:13`],
    [`index.${hub}/team/app`, `${hub}/team/app`],
    [`${hub}/library/debian`, `${hub}/library/debian`],
    ["localhost/app", "localhost/app"],
    ["localhost:5000/app:1", "localhost:5000/app:1"],
    ["host:5000/app", "host:5000/app"],
    ["host/app", `${hub}/host/app`],
    ["Host/app", "Host/app"],
    ["a.b/c/d__e/f--g", "a.b/c/d__e/f--g"],
    ["[::1]:5000/app", "[::1]:5000/app"],
    ["[2001:db8::1]/app", "[2001:db8::1]/app"],
    ["127.0.0.1:5000/a/b:c", "127.0.0.1:5000/a/b:c"],
    [`debian@${digest}`, `${hub}/library/debian@${digest}`],
    [`debian:13@${digest}`, `${hub}/library/debian:13@${digest}`],
    ["debian:5000", `${hub}/library/debian:5000`]
  ])("%s means %s", (text, meaning) => {
    expect(full(text)).toBe(meaning)
  })

  it.each([
    "", ":tag", "/a", "a/", "a//b", "a:", "a:-x", "a:.x", "a b", "a\n", "-a", "a-", "a..b", "a___b", "a.-b", "a:b:c", "a.b/",
    "a@", "a:b@", "a/b/:c", "host:port/app", "host:/app", "[::1/app", "[fe80::1%eth0]/app", "-host.x/app", "host_.x/app",
    "é", "a/é:1", `a:${"t".repeat(129)}`, "[::ffff:1.2.3.4]/a", "a:1/b:2:3"
  ])("%j is none", (text) => {
    expect(causeOf(parseReference(text))).toBe("invalid reference format")
  })

  it("explains the commonest mistakes", () => {
    expect(causeOf(parseReference("Debian"))).toBe("invalid reference format: repository name (library/Debian) must be lowercase")
    expect(causeOf(parseReference("a.b/App:1"))).toBe("invalid reference format: repository name (App) must be lowercase")
    expect(causeOf(parseReference("0".repeat(64)))).toContain("cannot specify 64-byte hexadecimal strings")
    expect(causeOf(parseReference("debian@sha256:12"))).toContain("invalid checksum digest length")
    expect(causeOf(parseReference(`debian@md5:${"0".repeat(32)}`))).toContain("unsupported digest algorithm")
  })

  it("is of limited length", () => {
    const path = (length: number) => `h.x/${"a".repeat(length)}`
    expect(full(path(255))).toBe(path(255))
    expect(causeOf(parseReference(path(256)))).toBe("repository name must not be more than 255 characters")
    const host = (length: number) => `${"a".repeat(length - 2)}.b/x`
    expect(full(host(261))).toBe(host(261))
    expect(causeOf(parseReference(host(262)))).toBe("the host must not have more than 261 characters")
    expect(full(`a:${"t".repeat(128)}`)).toContain("ttt")
    expect(causeOf(parseReference("a/".repeat(600)))).toContain(`more than the ${referenceLimits.text} allowed`)
    expect(parseReference("a/".repeat(1_000_000))).toMatchObject({ failure: { message: expect.any(String) } })
  })

  it("is printed as what it was parsed from, in full and as docker shows it", () => {
    fc.assert(fc.property(references, (reference) => {
      expect(success(parseReference(formatReference(reference)))).toEqual(reference)
      expect(success(parseReference(familiarReference(reference)))).toEqual(reference)
    }), { numRuns: 1000 })
  })

  it("once accepted, whatever the text, parses again to the same", () => {
    const pieces = fc.constantFrom(
      "a", "b1", "/", ":", "@", ".", "_", "__", "-", "[::1]", "localhost", hub, `index.${hub}`, "library", "A",
      "5000", digest, "ab".repeat(32), " ", "é"
    )
    let accepted = 0
    fc.assert(fc.property(fc.array(pieces, { maxLength: 9 }).map((parts) => parts.join("")), (text) => {
      const parsed = parseReference(text)
      if (Result.isFailure(parsed)) return
      accepted++
      const reference = parsed.success
      expect(success(parseReference(formatReference(reference)))).toEqual(reference)
      expect(success(parseReference(familiarReference(reference)))).toEqual(reference)
      expect(reference.path.length).toBeLessThanOrEqual(referenceLimits.path)
      expect(reference.tag === undefined || isTag(reference.tag)).toBe(true)
    }), { numRuns: 3000, seed: 7 })
    expect(accepted).toBeGreaterThan(100)
  })

  it("is shown without what docker takes for granted, unless that would mean something else", () => {
    const shown = (text: string) => familiarName(success(parseReference(text)))
    expect(shown(`${hub}/library/debian`)).toBe("debian")
    expect(shown(`${hub}/team/app`)).toBe("team/app")
    expect(shown(`${hub}/library/a/b`)).toBe("library/a/b")
    expect(shown("registry.example/a/b")).toBe("registry.example/a/b")
    expect(shown(`${hub}/localhost/x`)).toBe(`${hub}/localhost/x`)
    expect(shown(`${hub}/library/${"ab".repeat(32)}`)).toBe(`${hub}/library/${"ab".repeat(32)}`)
  })

  it("is of the tag latest if it names neither tag nor digest; a digest makes the tag idle", () => {
    const completed = (text: string) => familiarReference(withoutIdleTag(withDefaultTag(success(parseReference(text)))))
    expect(completed("debian")).toBe("debian:latest")
    expect(completed("debian:13")).toBe("debian:13")
    expect(completed(`debian@${digest}`)).toBe(`debian@${digest}`)
    expect(completed(`debian:13@${digest}`)).toBe(`debian@${digest}`)
  })
})
