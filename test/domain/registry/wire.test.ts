import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"
import { type Challenge, chooseChallenge, readChallenges } from "../../../src/domain/registry/Challenge.ts"
import { readDigest } from "../../../src/domain/image/Digest.ts"
import { headerContradicts } from "../../../src/domain/registry/headerContradicts.ts"
import {
  blobUrl, catalogUrl, isRepositoryName, isTag, manifestUrl, readEndpoint, referrersTag, referrersUrl, tagsUrl, uploadUrl
} from "../../../src/domain/registry/Endpoint.ts"
import { errorOfResponse, readErrorBody } from "../../../src/domain/registry/ErrorBody.ts"
import { readHttpDate } from "../../../src/domain/registry/HttpDate.ts"
import { single } from "../../../src/domain/registry/HttpMessage.ts"
import { nextPage } from "../../../src/domain/registry/Link.ts"
import { readContentType } from "../../../src/domain/image/MediaType.ts"
import { decideRedirect, fieldsFor } from "../../../src/domain/registry/Redirect.ts"
import { decideResume, readContentRange } from "../../../src/domain/registry/Resume.ts"
import { decideRetry, defaultRetryPolicy, isPassing, type Mishap, readRetryAfter } from "../../../src/domain/registry/Retry.ts"
import { afterBegin, afterChunk, afterQuestion, closeUrl, nextPiece, readLocation, readReceived, type Session } from "../../../src/domain/registry/Upload.ts"

const digest = `sha256:${"a".repeat(64)}`
const text = (value: string) => new TextEncoder().encode(value)

describe("addresses", () => {
  const endpoint = readEndpoint("https://registry.test:5000/prefix/")!

  it("have the form of the specification, below the endpoint's path", () => {
    const base = "https://registry.test:5000/prefix/v2"
    assert.strictEqual(manifestUrl(endpoint, "a/b", "latest"), `${base}/a/b/manifests/latest`)
    assert.strictEqual(blobUrl(endpoint, "a/b", digest), `${base}/a/b/blobs/${digest}`)
    assert.strictEqual(uploadUrl(endpoint, "a/b"), `${base}/a/b/blobs/uploads/`)
    assert.strictEqual(
      uploadUrl(endpoint, "a/b", { digest, from: "c/d" }), `${base}/a/b/blobs/uploads/?mount=sha256%3A${"a".repeat(64)}&from=c%2Fd`
    )
    assert.strictEqual(tagsUrl(endpoint, "a/b", { size: 10, last: "x&y" }), `${base}/a/b/tags/list?n=10&last=x%26y`)
    assert.strictEqual(catalogUrl(endpoint), `${base}/_catalog`)
    assert.strictEqual(referrersUrl(endpoint, "a", digest, "t/x+y"), `${base}/a/referrers/${digest}?artifactType=t%2Fx%2By`)
  })

  it("are not made of other things than hosts", () => {
    for (const bad of ["registry.test", "ftp://x", "https://u:p@x", "https://x?y", "https://x#y", "https://", "https://a b"]) {
      assert.isUndefined(readEndpoint(bad), bad)
    }
  })

  it("take names, tags and digests of the grammar only", () => {
    for (const good of ["a", "library/alpine", "a.b/c__d/e-f", "0/1", "a--b"]) assert.isTrue(isRepositoryName(good), good)
    for (const bad of ["", "A", "a/", "/a", "a//b", "a..b", "a/../b", "-a", "a_-b", "a b", "a%2fb", "a?b", "a".repeat(256)]) {
      assert.isFalse(isRepositoryName(bad), bad)
    }
    for (const good of ["latest", "_x", "V1.0-rc.1", "a".repeat(128)]) assert.isTrue(isTag(good), good)
    for (const bad of ["", ".x", "-x", "a/b", "a:b", "a".repeat(129)]) assert.isFalse(isTag(bad), bad)
  })

  it("the fallback tag of referrers is the digest with a dash, cut to 64 digits", () => {
    assert.strictEqual(referrersTag(digest), `sha256-${"a".repeat(64)}`)
    assert.strictEqual(referrersTag(`sha512:${"b".repeat(128)}`), `sha512-${"b".repeat(64)}`)
    assert.isUndefined(referrersTag("latest"))
  })
})

describe("challenges", () => {
  const read = (line: string) => readChallenges(line)?.map(({ parameters, scheme, token68 }) => [scheme, Object.fromEntries(parameters), token68])

  it("are read with quotes, escapes, spaces and several in a line", () => {
    assert.deepStrictEqual(
      read(`Bearer realm="https://auth.test/token",service="registry, \\"the\\" one" , scope="repository:a/b:pull,push" , Basic realm=x`),
      [
        ["bearer", { realm: "https://auth.test/token", service: "registry, \"the\" one", scope: "repository:a/b:pull,push" }, undefined],
        ["basic", { realm: "x" }, undefined]
      ]
    )
    assert.deepStrictEqual(read("Negotiate, NTLM abc==, Basic"), [["negotiate", {}, undefined], ["ntlm", {}, "abc=="], ["basic", {}, undefined]])
    assert.deepStrictEqual(read(",, BEARER Realm = \"r\" ,, "), [["bearer", { realm: "r" }, undefined]])
    assert.deepStrictEqual(read(""), [])
  })

  it("that break the grammar or a limit are not guessed at", () => {
    for (
      const bad of [
        "Bearer realm=\"open", "Bearer realm=a realm=b", "=x", "Bearer realm=\"a\"x", "Bearer realm=\"a\nb\"",
        "Bearer realm=a,realm=b", `Bearer realm="${"x".repeat(20_000)}"`, "A,".repeat(17), `B ${Array.from({ length: 33 }, (_, n) => `p${n}=1`).join(",")}`
      ]
    ) assert.isUndefined(readChallenges(bad), bad.slice(0, 60))
  })

  it("are what was printed, for any parameters", () => {
    const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/)
    const value = fc.string({ unit: fc.constantFrom(..."abc,= \"\\;/:é\t".split("").filter((unit) => unit !== "é")), maxLength: 12 })
    const challenge = fc.record({ scheme: token, parameters: fc.uniqueArray(fc.tuple(token, value), { selector: ([name]) => name, maxLength: 5 }) })
    const print = ({ parameters, scheme }: { readonly scheme: string; readonly parameters: ReadonlyArray<readonly [string, string]> }) =>
      `${scheme} ${parameters.map(([name, value]) => `${name}="${value.replace(/[\\"]/g, "\\$&")}"`).join(", ")}`.trim()
    fc.assert(fc.property(fc.array(challenge, { maxLength: 5 }), (list) => {
      const expected = list.map(({ parameters, scheme }): Challenge => ({ scheme, parameters: new Map(parameters) }))
      assert.deepStrictEqual(readChallenges(list.map(print).join(", ")), expected)
    }))
  })

  it("take time in proportion to their length", () => {
    const start = performance.now()
    for (const piece of ["a=\"", "\\\"", "a ", "a=b,", ", ", "=="]) readChallenges(`Bearer x="${piece.repeat(8000 / piece.length)}`)
    assert.isBelow(performance.now() - start, 500)
  })

  it("of tokens are preferred to passwords, wherever they stand", () => {
    const choose = (...list: ReadonlyArray<string>) => chooseChallenge({ "www-authenticate": list })
    assert.deepStrictEqual(choose("Basic realm=x", "Bearer realm=\"r\",service=s"), { scheme: "bearer", realm: "r", service: "s", scope: "" })
    assert.isUndefined(choose("Bearer realm="))
    assert.deepStrictEqual(choose("Bearer", "Basic realm=x"), { scheme: "basic" })
    assert.deepStrictEqual(choose("broken=\"", "Basic realm=x"), { scheme: "basic" })
    assert.isUndefined(choose("Negotiate"))
    assert.isUndefined(choose())
  })
})

describe("redirects", () => {
  const decide = (location: string | undefined, more = {}) =>
    decideRedirect({ method: "GET", url: "https://registry.test/v2/x", status: 307, location, followed: 0, ...more })

  it("lead to absolute and relative addresses, over https", () => {
    assert.deepStrictEqual(decide("https://store.test/a?b#c"), { kind: "follow", url: "https://store.test/a?b" })
    assert.deepStrictEqual(decide("../y"), { kind: "follow", url: "https://registry.test/y" })
    assert.deepStrictEqual(decide("//other.test/z"), { kind: "follow", url: "https://other.test/z" })
    assert.strictEqual(decide("https://s.test", { url: "http://registry.test/" }).kind, "follow")
  })

  it("to where it is not safe are refused", () => {
    for (const location of ["http://registry.test/v2/x", "file:///etc/passwd", "javascript:1", "https://user:pass@registry.test/", undefined, `https://x/${"y".repeat(20_000)}`]) {
      assert.strictEqual(decide(location).kind, "refuse", location?.slice(0, 40))
    }
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) assert.strictEqual(decide("/y", { method }).kind, "refuse")
  })

  it("are ten at most", () => {
    assert.strictEqual(decide("/y", { followed: 9 }).kind, "follow")
    assert.strictEqual(decide("/y", { followed: 10 }).kind, "refuse")
  })

  it("are not what other answers are", () => {
    for (const status of [200, 300, 304, 305, 400]) assert.strictEqual(decide("/y", { status }).kind, "final")
  })

  it("keep secrets with their origin: scheme, host and port", () => {
    const fields = { authorization: "x", cookie: "y", "proxy-authorization": "z", accept: "a", range: "r" }
    assert.deepStrictEqual(fieldsFor(fields, "https://r.test/a", "https://R.test:443/b"), fields)
    for (const to of ["http://r.test/a", "https://r.test:444/a", "https://s.r.test/", "https://r.test.evil/", "https://r.test@evil.test/"]) {
      assert.deepStrictEqual(fieldsFor(fields, "https://r.test/a", to), { accept: "a", range: "r" }, to)
    }
    assert.deepStrictEqual(fieldsFor({ Authorization: "x" }, "https://a.test", "https://b.test"), {})
  })
})

describe("retries", () => {
  const now = Date.UTC(1994, 10, 6, 8, 49, 37)
  const failed: Mishap = { kind: "failure", failure: "broken" }

  it("wait twice as long each time, spread, and at most as long as the policy lets", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 5 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (failures, random) => {
      const decision = decideRetry(defaultRetryPolicy, failed, failures, now, random)
      assert.isTrue(decision.kind === "wait" && decision.millis >= 250 * 2 ** (failures - 1) && decision.millis <= 500 * 2 ** (failures - 1))
    }))
    const late = decideRetry({ ...defaultRetryPolicy, attempts: 1000 }, failed, 900, now, 0.9)
    assert.isTrue(late.kind === "wait" && late.millis <= 30_000)
  })

  it("end after the policy's number of requests", () => {
    assert.strictEqual(decideRetry(defaultRetryPolicy, failed, 5, now, 0).kind, "wait")
    assert.deepStrictEqual(decideRetry(defaultRetryPolicy, failed, 6, now, 0), { kind: "giveUp", reason: "exhausted" })
  })

  it("never come before Retry-After, and not at all when it asks for too much", () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 5 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (seconds, failures, random) => {
      const decision = decideRetry(defaultRetryPolicy, { kind: "response", status: 429, retryAfter: String(seconds) }, failures, now, random)
      assert.isTrue(decision.kind === "wait" && decision.millis >= seconds * 1000)
    }))
    assert.deepStrictEqual(
      decideRetry(defaultRetryPolicy, { kind: "response", status: 503, retryAfter: "301" }, 1, now, 0), { kind: "giveUp", reason: "tooLong", asked: 301_000 }
    )
  })

  it("are for passing failures only", () => {
    for (const status of [408, 425, 429, 500, 502, 503, 504]) assert.isTrue(isPassing({ kind: "response", status, retryAfter: undefined }), String(status))
    for (const status of [0, 200, 400, 401, 403, 404, 405, 409, 416, 501, 505]) assert.isFalse(isPassing({ kind: "response", status, retryAfter: undefined }), String(status))
    assert.isFalse(isPassing({ kind: "failure", failure: "tls" }))
    assert.isFalse(isPassing({ kind: "failure", failure: "source" }))
  })

  it("read Retry-After as seconds and in the three forms of dates", () => {
    assert.strictEqual(readRetryAfter("120", now), 120_000)
    for (const date of ["Sun, 06 Nov 1994 08:49:47 GMT", "Sunday, 06-Nov-94 08:49:47 GMT", "Sun Nov  6 08:49:47 1994"]) {
      assert.strictEqual(readRetryAfter(date, now), 10_000, date)
    }
    assert.strictEqual(readRetryAfter("Sun, 06 Nov 1994 08:49:00 GMT", now), 0)
    for (const bad of ["-1", "1.5", "soon", "", "1e3", "Sun, 31 Feb 2026 00:00:00 GMT", "Sun, 06 Nov 1994 25:00:00 GMT", "06 Nov 1994"]) {
      assert.isUndefined(readRetryAfter(bad, now), bad)
    }
  })

  it("read back every date that is written in the one form", () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 4e9 }), (seconds) => {
      assert.strictEqual(readHttpDate(new Date(seconds * 1000).toUTCString(), now), seconds * 1000)
    }))
  })
})

describe("resuming", () => {
  const decide = (offset: number, status: number, fields: Record<string, string> = {}) =>
    decideResume(offset, 1000, status, Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, [value]])))

  it("takes the range that was asked for, skips what comes again, and is not misled", () => {
    assert.deepStrictEqual(decide(400, 206, { "content-range": "bytes 400-999/1000" }), { kind: "take", skip: 0, expected: 600 })
    assert.deepStrictEqual(decide(400, 206, { "content-range": "bytes 400-499/*" }), { kind: "take", skip: 0, expected: 100 })
    assert.deepStrictEqual(decide(400, 200), { kind: "take", skip: 400, expected: 1000 })
    assert.deepStrictEqual(decide(1000, 416), { kind: "complete" })
    assert.deepStrictEqual(decide(400, 416), { kind: "startOver" })
    for (const range of ["bytes 399-999/1000", "bytes 401-999/1000", "bytes 400-399/1000", "bytes 400-", "400-999/1000", "items 400-999/1000", "bytes */1000"]) {
      assert.deepStrictEqual(decide(400, 206, { "content-range": range }), { kind: "startOver" }, range)
    }
    assert.deepStrictEqual(decide(400, 206), { kind: "startOver" })
    assert.deepStrictEqual(decide(400, 206, { "content-range": "bytes 400-999/1000", "content-length": "7" }), { kind: "startOver" })
    assert.strictEqual(decide(400, 206, { "content-range": "bytes 400-1000/1001" }).kind, "corrupt")
    assert.strictEqual(decide(400, 206, { "content-range": "bytes 400-1000/*" }).kind, "corrupt")
    assert.strictEqual(decide(0, 200, { "content-length": "999" }).kind, "corrupt")
    assert.strictEqual(decide(0, 302).kind, "other")
  })

  it("never takes more than is missing, whatever the registry says", () => {
    fc.assert(fc.property(fc.nat(1200), fc.nat(1200), fc.nat(1200), fc.nat(1200), (offset, first, last, total) => {
      const decision = decide(offset, 206, { "content-range": `bytes ${first}-${last}/${total}` })
      if (decision.kind === "take") assert.isAtMost(offset + decision.expected, 1000)
    }))
    assert.isUndefined(readContentRange("bytes 0-99999999999999999/1"))
  })
})

describe("pages", () => {
  const url = "https://registry.test/v2/a/tags/list?n=2"
  const next = (...link: ReadonlyArray<string>) => nextPage({ link }, url)

  it("follow the link whose relation is next", () => {
    for (
      const line of [
        `</v2/a/tags/list?last=b&n=2>; rel="next"`, `<https://registry.test/v2/a/tags/list?last=b&n=2>;rel=next`,
        `<x>; rel="prev", </v2/a/tags/list?last=b&n=2>; title="a, b"; rel="last next"`, `<?last=b&n=2>; REL=Next`
      ]
    ) assert.deepStrictEqual(next(line), Result.succeed("https://registry.test/v2/a/tags/list?last=b&n=2"), line)
  })

  it("end without one", () => {
    for (const line of ["", `<x>; rel="prev"`, "<x>", "x; rel=next", `<x`]) assert.deepStrictEqual(next(line), Result.succeed(undefined), line)
    assert.deepStrictEqual(nextPage({}, url), Result.succeed(undefined))
  })

  it("elsewhere or in a circle are an error", () => {
    for (const target of ["https://evil.test/", "http://registry.test/v2/", "//registry.test:444/", url, "ftp://x"]) {
      assert.isTrue(Result.isFailure(next(`<${target}>; rel="next"`)), target)
    }
  })
})

describe("upload sessions", () => {
  const session: Session = { url: "https://r.test/u/1?state=a", offset: 100, leastChunk: 0 }

  it("know what was received, and that `0-0` says nothing", () => {
    assert.strictEqual(readReceived("0-1023"), 1024)
    assert.strictEqual(readReceived("bytes=0-1023"), 1024)
    for (const bad of ["0-0", "1-5", "5", "", undefined, "0--1", "0-99999999999999999"]) assert.isUndefined(readReceived(bad), bad)
    assert.deepStrictEqual(afterQuestion(204, { range: ["0-0"] }, session, 0), { kind: "session", session: { ...session, offset: 0 } })
    assert.deepStrictEqual(afterQuestion(204, { range: ["0-0"] }, session, 5), { kind: "lost" })
    assert.deepStrictEqual(afterQuestion(204, { range: ["0-9"] }, session, 5), { kind: "lost" })
  })

  it("go on at the address of each answer, relative or absolute, never without TLS", () => {
    const at = (location: string) => readLocation({ location: [location] }, "https://r.test/v2/a/blobs/uploads/")
    assert.deepStrictEqual(at("/u/2?x=y"), Result.succeed("https://r.test/u/2?x=y"))
    assert.deepStrictEqual(at("https://other.test/u#f"), Result.succeed("https://other.test/u"))
    for (const bad of ["http://r.test/u", "ftp://r.test", "https://a:b@r.test/"]) assert.isTrue(Result.isFailure(at(bad)), bad)
    assert.isTrue(Result.isFailure(readLocation({}, "https://r.test/")))
    assert.isTrue(Result.isFailure(readLocation({ location: ["/a", "/b"] }, "https://r.test/")))
  })

  it("follow the protocol's answers", () => {
    const fields = { location: ["/u/2"], range: ["0-149"], "oci-chunk-min-length": ["500"] }
    assert.deepStrictEqual(afterChunk(202, fields, session, 150), { kind: "session", session: { url: "https://r.test/u/2", offset: 150, leastChunk: 500 } })
    assert.deepStrictEqual(afterChunk(202, fields, session, 140), { kind: "lost" })
    assert.deepStrictEqual(afterChunk(202, { location: ["/u/2"] }, session, 150).kind, "session")
    assert.strictEqual(afterChunk(416, fields, session, 150).kind, "outOfStep")
    assert.strictEqual(afterChunk(404, fields, session, 150).kind, "lost")
    assert.strictEqual(afterChunk(500, fields, session, 150).kind, "other")
    assert.strictEqual(afterChunk(202, {}, session, 150).kind, "broken")
    assert.strictEqual(afterBegin(201, {}, session.url).kind, "done")
    assert.strictEqual(afterBegin(202, {}, session.url).kind, "broken")
    assert.strictEqual(closeUrl(session, digest), `https://r.test/u/1?state=a&digest=sha256%3A${"a".repeat(64)}`)
  })

  it("are cut into pieces that cover the content once and are no smaller than the registry asks", () => {
    fc.assert(fc.property(fc.nat(5000), fc.integer({ min: 1, max: 3000 }), fc.nat(3000), (size, chunk, leastChunk) => {
      let offset = 0
      for (let count = 0;; count++) {
        assert.isBelow(count, 5002)
        const piece = nextPiece({ ...session, offset, leastChunk }, size, chunk)
        assert.strictEqual(piece.start, offset)
        assert.isAtMost(piece.end, size)
        if (!piece.last && piece.end < size) assert.isAtLeast(piece.end - piece.start, Math.max(chunk, leastChunk))
        offset = piece.end
        if (piece.last) break
        assert.isAbove(piece.end, piece.start)
      }
      assert.strictEqual(offset, size)
    }))
  })
})

describe("what a registry says", () => {
  const subject = { operation: "fetch blob", object: "registry.test/a@b" }
  const judge = (status: number, body: string, authenticated = false) =>
    errorOfResponse(subject, { host: "registry.test", status, body: text(body), authenticated })

  it("becomes an error with operation, object, cause and cure", () => {
    const error = judge(401, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":[{"Name":"a"}]}]}`)
    assert.strictEqual(
      error.message,
      `cannot fetch blob registry.test/a@b: registry.test answered 401: UNAUTHORIZED (authentication required, [{"Name":"a"}]); log in first with: login registry.test`
    )
    assert.deepStrictEqual([error.kind, error.status, error.code], ["denied", 401, "UNAUTHORIZED"])
    assert.include(judge(403, "", true).cure, "another user")
  })

  it("has a kind by its code where that says more, by its status where it does not", () => {
    const coded = (status: number, code: string) => judge(status, JSON.stringify({ errors: [{ code }] })).kind
    assert.deepStrictEqual(
      [coded(400, "DENIED"), coded(400, "TOOMANYREQUESTS"), coded(404, "whatever"), coded(503, "DENIED"), coded(400, "constructor"), coded(405, ""), coded(429, "")],
      ["denied", "limited", "missing", "unavailable", "invalid", "unsupported", "limited"]
    )
  })

  it("cannot write to the terminal, nor fill it", () => {
    const error = judge(500, JSON.stringify({ errors: [{ code: "\u001b[2J", message: `a\nb\r\u202e${"x".repeat(5000)}` }] }))
    assert.notMatch(error.message, /[\u0000-\u001f\u007f-\u009f\u202e]/)
    assert.isBelow(error.message.length, 700)
  })

  it("may be anything at all", () => {
    fc.assert(fc.property(fc.oneof(fc.string().map(text), fc.json().map(text), fc.uint8Array({ maxLength: 200 })), fc.integer({ min: 100, max: 599 }), (body, status) => {
      const error = errorOfResponse(subject, { host: "h", status, body, authenticated: false })
      assert.isAbove(error.cure.length, 0)
      assert.include(error.cause, String(status))
    }))
    for (const body of ["<html>", "null", "[]", "{\"errors\":null}", "{\"errors\":{}}", ""]) assert.deepStrictEqual(readErrorBody(text(body)), [], body)
    assert.strictEqual(readErrorBody(text(`{"details":"incorrect username or password"}`))[0]?.message, "incorrect username or password")
    assert.strictEqual(readErrorBody(text(JSON.stringify({ errors: Array.from({ length: 99 }, () => ({ code: "X" })) }))).length, 16)
  })
})

describe("fields", () => {
  it("that may be there once are not chosen from when they differ", () => {
    assert.strictEqual(single({ a: ["x", " x "] }, "a"), "x")
    assert.isUndefined(single({ a: ["x", "y"] }, "a"))
    assert.isUndefined(single({}, "constructor"))
  })

  it("of content types are normalised or refused", () => {
    assert.strictEqual(readContentType("Application/VND.x.Y+Json ; charset=utf-8"), "application/vnd.x.y+json")
    for (const bad of [undefined, "", "json", "a/b/c", "a b/c", "a/b,c/d", "/"]) assert.isUndefined(readContentType(bad), bad)
  })

  it("of digests contradict, agree, or say nothing", () => {
    const other = `sha256:${"b".repeat(64)}`
    assert.isFalse(headerContradicts(undefined, digest))
    assert.isFalse(headerContradicts(digest, digest))
    assert.isFalse(headerContradicts(`sha512:${"b".repeat(128)}`, digest))
    assert.isTrue(headerContradicts(other, digest))
    assert.isTrue(headerContradicts("sha256:short", digest))
    assert.isUndefined(readDigest(`sha256:${"A".repeat(64)}`))
    assert.isUndefined(readDigest(`sha512:${"a".repeat(64)}`))
  })
})
