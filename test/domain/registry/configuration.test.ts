import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"
import { certificateDirectory, certificateRoots, readCertificateDirectory } from "../../../src/domain/registry/CertificateDirectory.ts"
import type { Credential } from "../../../src/domain/registry/Credential.ts"
import { dockerCredentialKey, dockerDomain, dockerIndexDomain, dockerRegistryHost } from "../../../src/domain/registry/dockerDefaults.ts"
import {
  credentialSource, emptyDockerConfig, helperStoreInput, printDockerConfig, readDockerConfig, readHelperAnswer, storedCredential, withCredential, withoutCredential
} from "../../../src/domain/registry/DockerConfig.ts"
import { proxyFor } from "../../../src/domain/registry/Proxy.ts"
import { candidatesFor, defaultRegistrySettings, isInsecure } from "../../../src/domain/registry/RegistrySettings.ts"
import { mergeScopes, readScopes, repositoryScope } from "../../../src/domain/registry/Scope.ts"
import { checkRealm, getRequest, isFresh, oauthRequest, readTokenAnswer, tokenRequest } from "../../../src/domain/registry/TokenRequest.ts"

const base64 = (text: string) => Buffer.from(text).toString("base64")
const config = (document: unknown) => Result.getOrThrow(readDockerConfig(JSON.stringify(document), "/home/u/.docker/config.json"))
const alice: Credential = { kind: "password", username: "alice", password: "p:w\u00e9" }

describe("docker's config.json", () => {
  it("gives name and password, an identity token or a registry token", () => {
    const auths = {
      "a.test": { auth: base64("alice:p:w\u00e9") }, "b.test": { identitytoken: "id", auth: base64("<token>:") }, "c.test": { registrytoken: "reg" },
      "d.test": { username: "dave", password: "pw" }, "e.test": { auth: base64("eve:pw\0\0") }, "f.test": {}
    }
    const stored = (host: string) => Result.getOrThrow(storedCredential(config({ auths }), host))
    assert.deepStrictEqual(stored("a.test"), alice)
    assert.deepStrictEqual(stored("b.test"), { kind: "identity", token: "id" })
    assert.deepStrictEqual(stored("c.test"), { kind: "registry", token: "reg" })
    assert.deepStrictEqual(stored("d.test"), { kind: "password", username: "dave", password: "pw" })
    assert.deepStrictEqual(stored("e.test"), { kind: "password", username: "eve", password: "pw" })
    assert.isUndefined(stored("f.test"))
    assert.isUndefined(stored("a.test:5000"))
    assert.isUndefined(stored("constructor"))
  })

  it("finds keys that older versions wrote as addresses", () => {
    const auths = { "https://a.test/v1/": { auth: base64("alice:p:w\u00e9") }, [dockerCredentialKey]: { auth: base64("bob:x") } }
    assert.deepStrictEqual(Result.getOrThrow(storedCredential(config({ auths }), "a.test")), alice)
    for (const host of [dockerDomain, dockerIndexDomain, dockerRegistryHost]) {
      assert.deepStrictEqual(Result.getOrThrow(storedCredential(config({ auths }), host)), { kind: "password", username: "bob", password: "x" })
    }
  })

  it("says what is wrong with it, and how to mend it", () => {
    for (const text of ["{", "[]", "{\"auths\":[1]}", "{\"auths\":{\"a\":{\"auth\":1}}}", "{\"credsStore\":{}}"]) {
      const read = readDockerConfig(text, "/c.json")
      assert.isTrue(Result.isFailure(read) && read.failure.message.includes("/c.json") && read.failure.kind === "invalid", text)
    }
    for (const auth of ["!!!", base64("nocolon")]) {
      const stored = storedCredential(config({ auths: { "a.test": { auth } } }), "a.test")
      assert.isTrue(Result.isFailure(stored) && stored.failure.cure.includes("login a.test"), auth)
    }
    assert.deepStrictEqual(readDockerConfig(" \n", "/c.json"), Result.succeed(emptyDockerConfig))
  })

  it("names the registry's own helper before the general one, and only programs", () => {
    const helpers = config({ credsStore: "secretservice", credHelpers: { "a.test": "ecr-login", "b.test": "../../bin/sh", "c.test": "" } })
    assert.deepStrictEqual(credentialSource(helpers, "a.test"), Result.succeed({ kind: "helper", helper: "ecr-login", server: "a.test" }))
    assert.deepStrictEqual(
      credentialSource(helpers, dockerDomain), Result.succeed({ kind: "helper", helper: "secretservice", server: dockerCredentialKey })
    )
    assert.isTrue(Result.isFailure(credentialSource(helpers, "b.test")))
    assert.deepStrictEqual(credentialSource(helpers, "c.test"), Result.succeed({ kind: "file" }))
    assert.deepStrictEqual(credentialSource(config({}), "a.test"), Result.succeed({ kind: "file" }))
  })

  it("reads what helpers print, without showing it", () => {
    const read = (exitCode: number, stdout: string) => readHelperAnswer({ exitCode, stdout }, "pass", "a.test")
    assert.deepStrictEqual(read(0, `{"ServerURL":"a.test","Username":"alice","Secret":"p:w\u00e9"}`), Result.succeed(alice))
    assert.deepStrictEqual(read(0, `{"Username":"<token>","Secret":"id"}`), Result.succeed({ kind: "identity", token: "id" }))
    assert.deepStrictEqual(read(1, "credentials not found in native keychain\n"), Result.succeed(undefined))
    for (const failed of [read(1, "locked SECRET"), read(0, "SECRET")]) {
      assert.isTrue(Result.isFailure(failed) && !failed.failure.message.includes("SECRET"))
    }
    assert.deepStrictEqual(JSON.parse(helperStoreInput("a.test", { kind: "identity", token: "id" })), { ServerURL: "a.test", Username: "<token>", Secret: "id" })
  })

  it("after a login gives that credential back, after a logout none, and keeps the rest", () => {
    const credential = fc.oneof(
      fc.record({ kind: fc.constant("password" as const), username: fc.stringMatching(/^[a-z@.]{1,10}$/), password: fc.string({ minLength: 1, unit: "grapheme" }).filter((text) => !text.endsWith("\0") && text.isWellFormed()) }),
      fc.record({ kind: fc.constant("identity" as const), token: fc.stringMatching(/^[a-zA-Z0-9._-]{1,40}$/) }),
      fc.record({ kind: fc.constant("registry" as const), token: fc.stringMatching(/^[a-zA-Z0-9._-]{1,40}$/) })
    )
    const before = config({ psFormat: "x", auths: { "https://a.test/v1/": { auth: base64("old:old") }, "b.test": { auth: base64("b:b"), email: "e" } } })
    fc.assert(fc.property(credential, fc.constantFrom("a.test", "c.test:5000", dockerDomain), (given, host) => {
      const after = Result.getOrThrow(readDockerConfig(printDockerConfig(withCredential(before, host, given)), "x"))
      assert.deepStrictEqual(Result.getOrThrow(storedCredential(after, host)), given)
      assert.strictEqual(after.document["psFormat"], "x")
      const out = withoutCredential(after, host)
      assert.isUndefined(Result.getOrThrow(storedCredential(out, host)))
      assert.deepStrictEqual((out.document["auths"] as Record<string, unknown>)["b.test"], { auth: base64("b:b"), email: "e" })
    }))
  })
})

describe("token requests", () => {
  const wish = { realm: "https://auth.test/token?x=1", service: "registry", scopes: ["repository:a:pull", "repository:b:pull"], credential: undefined }

  it("have the older form with name and password in the header, and a scope each", () => {
    const { headers, method, url } = tokenRequest({ ...wish, credential: alice, offline: true })
    assert.strictEqual(method, "GET")
    assert.strictEqual(
      url, "https://auth.test/token?x=1&service=registry&scope=repository%3Aa%3Apull&scope=repository%3Ab%3Apull&account=alice&offline_token=true&client_id=fx-engine"
    )
    assert.strictEqual(headers["authorization"], `Basic ${base64("alice:p:w\u00e9")}`)
    assert.isUndefined(getRequest(wish).headers["authorization"])
  })

  it("have the OAuth2 form for a refresh token: nothing secret in the address", () => {
    const { body, headers, method, url } = tokenRequest({ ...wish, credential: { kind: "identity", token: "r&t" } })
    assert.deepStrictEqual([method, url, headers["authorization"]], ["POST", wish.realm, undefined])
    assert.deepStrictEqual(Object.fromEntries(new URLSearchParams(body)), {
      grant_type: "refresh_token", refresh_token: "r&t", service: "registry", client_id: "fx-engine", scope: "repository:a:pull repository:b:pull"
    })
    const grant = new URLSearchParams(oauthRequest({ ...wish, credential: alice, offline: true }).body)
    assert.deepStrictEqual([grant.get("grant_type"), grant.get("password"), grant.get("access_type")], ["password", alice.kind === "password" ? alice.password : "", "offline"])
  })

  it("go to safe places only", () => {
    const check = (realm: string, registry = "https://r.test") => Result.isSuccess(checkRealm(realm, registry))
    assert.isTrue(check("https://auth.test/token"))
    assert.isTrue(check("http://auth.test/token", "http://r.test"))
    for (const bad of ["http://auth.test/token", "auth", "ftp://a", "https://u:p@auth.test/", ""]) assert.isFalse(check(bad), bad)
  })

  it("ask for one scope per resource with all its actions, in one order", () => {
    assert.deepStrictEqual(
      mergeScopes([repositoryScope("b", "push"), repositoryScope("a", "pull"), ...readScopes("repository:b:pull  repository(plugin):b:pull bad registry:catalog:*")]),
      ["registry:catalog:*", "repository(plugin):b:pull", "repository:a:pull", "repository:b:pull,push"]
    )
    const scope = fc.record({ type: fc.constantFrom("repository", "registry"), name: fc.constantFrom("a", "b:5000/c"), actions: fc.subarray(["pull", "push", "*"]) })
    fc.assert(fc.property(fc.array(scope), fc.array(scope), (one, other) => {
      assert.deepStrictEqual(mergeScopes([...one, ...other]), mergeScopes([...other, ...one]))
      const merged = mergeScopes(one)
      assert.deepStrictEqual(mergeScopes(readScopes(merged.join(" "))), merged)
    }))
  })

  it("bring tokens with a lifetime of at least a minute, by a clock that may differ", () => {
    const now = Date.UTC(2026, 0, 1)
    const lifetime = (answer: Record<string, unknown>) => {
      const token = readTokenAnswer(new TextEncoder().encode(JSON.stringify({ token: "t", ...answer })), now)
      return Result.isSuccess(token) ? (token.success.expiresAt - now) / 1000 : undefined
    }
    const ago = (seconds: number) => new Date(now - seconds * 1000).toISOString()
    assert.strictEqual(lifetime({}), 60)
    assert.strictEqual(lifetime({ expires_in: 300 }), 300)
    for (const expires_in of [0, -5, 10, null]) assert.strictEqual(lifetime({ expires_in }), 60)
    assert.strictEqual(lifetime({ expires_in: 1e12 }), 24 * 3600)
    assert.strictEqual(lifetime({ expires_in: 300, issued_at: ago(100) }), 200)
    assert.strictEqual(lifetime({ expires_in: 300, issued_at: ago(3600) }), 300)
    assert.strictEqual(lifetime({ expires_in: 300, issued_at: ago(-3600) }), 300)
    assert.strictEqual(lifetime({ expires_in: 300, issued_at: "yesterday" }), 300)
    for (const bad of [{ token: "" }, { token: "a b" }, { token: "a\r\nb: c" }, { token: 5 }, { token: "x".repeat(70_000) }]) assert.isUndefined(lifetime(bad))
    assert.strictEqual(lifetime({ token: "", access_token: "u" }), 60)
    const token = { value: "t", expiresAt: now + 60_000 }
    assert.isTrue(isFresh(token, now + 54_999))
    assert.isFalse(isFresh(token, now + 55_000))
  })

  it("are never brought down by what a server sends", () => {
    fc.assert(fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
      const token = readTokenAnswer(new TextEncoder().encode(text), 0)
      assert.isTrue(Result.isFailure(token) || token.success.value.length > 0)
    }))
  })
})

describe("registries by configuration", () => {
  const urls = (domain: string, purpose: "pull" | "other", settings = {}) =>
    Result.getOrThrow(candidatesFor({ ...defaultRegistrySettings, ...settings }, domain, purpose)).map(({ url, verifyTls }) => `${url} ${verifyTls}`)

  it("are asked over TLS with a checked certificate, unless the user says otherwise", () => {
    assert.deepStrictEqual(urls("r.test:5000", "pull"), ["https://r.test:5000 true"])
    assert.deepStrictEqual(urls("r.test:5000", "pull", { insecure: ["r.test:5000"] }), ["https://r.test:5000 false", "http://r.test:5000 false"])
    assert.deepStrictEqual(urls("127.0.0.1:5000", "other"), ["https://127.0.0.1:5000 false", "http://127.0.0.1:5000 false"])
    assert.deepStrictEqual(urls(dockerDomain, "pull"), [`https://${dockerRegistryHost} true`])
  })

  it("have mirrors for pulls only, in their order", () => {
    const mirrors = { [dockerDomain]: ["https://one.test/prefix/", "http://two.test"], "r.test": ["https://three.test"] }
    assert.deepStrictEqual(urls(dockerIndexDomain, "pull", { mirrors }), ["https://one.test/prefix true", "http://two.test true", `https://${dockerRegistryHost} true`])
    assert.deepStrictEqual(urls(dockerDomain, "other", { mirrors }), [`https://${dockerRegistryHost} true`])
    assert.isTrue(Result.isFailure(candidatesFor({ ...defaultRegistrySettings, mirrors: { "r.test": ["three.test"] } }, "r.test", "pull")))
    assert.deepStrictEqual(urls("constructor", "pull"), ["https://constructor true"])
  })

  it("are insecure by name, port and network", () => {
    const insecure = (domain: string, ...list: ReadonlyArray<string>) => isInsecure({ mirrors: {}, insecure: list }, domain)
    assert.isTrue(insecure("r.test:5000", "r.test"))
    assert.isTrue(insecure("10.1.2.3:5000", "10.0.0.0/8"))
    assert.isTrue(insecure("[fd00::5]:5000", "fd00::/8"))
    assert.isTrue(insecure("[::1]:5000"))
    assert.isTrue(insecure("localhost:5000"))
    for (const [domain, entry] of [["r.test:5001", "r.test:5000"], ["xr.test", "r.test"], ["11.0.0.1", "10.0.0.0/8"], ["10.0.0.1", "10.0.0.0/x"], ["10.example.test", "10.0.0.0/8"], ["localhost.evil.test", ""]] as const) {
      assert.isFalse(insecure(domain, entry), `${domain} ${entry}`)
    }
  })

  it("have their certificates in a directory of their name", () => {
    const [root = ""] = certificateRoots("/home/u/.config")
    assert.strictEqual(certificateDirectory(root, "R.test:5000"), "/etc/docker/certs.d/r.test:5000")
    for (const bad of ["../x", "a/b", "", "..", "a..b"]) assert.isUndefined(certificateDirectory(root, bad), bad)
    assert.deepStrictEqual(readCertificateDirectory("/d", ["client.key", "ca.crt", "client.cert", "README", ".crt", "b.crt"]), Result.succeed({
      authorities: ["/d/b.crt", "/d/ca.crt"], clients: [{ certificate: "/d/client.cert", key: "/d/client.key" }]
    }))
    for (const entries of [["client.cert"], ["client.key"], ["a.cert", "b.key"]]) assert.isTrue(Result.isFailure(readCertificateDirectory("/d", entries)), String(entries))
  })
})

describe("proxies", () => {
  const proxy = (environment: Record<string, string>, url = "https://r.test/v2/") => Result.getOrThrow(proxyFor(environment, url))?.url

  it("are chosen by scheme, in either case of the variable, upper case first", () => {
    assert.strictEqual(proxy({ HTTPS_PROXY: "http://p.test:3128" }), "http://p.test:3128")
    assert.strictEqual(proxy({ https_proxy: "p.test:3128" }), "http://p.test:3128")
    assert.strictEqual(proxy({ HTTPS_PROXY: "https://a.test", https_proxy: "http://b.test" }), "https://a.test")
    assert.isUndefined(proxy({ HTTP_PROXY: "http://p.test" }))
    assert.strictEqual(proxy({ HTTP_PROXY: "http://p.test" }, "http://r.test/"), "http://p.test")
    assert.isUndefined(proxy({ HTTPS_PROXY: "" }))
  })

  it("are left out for what NO_PROXY names, and for this machine", () => {
    const direct = (noProxy: string, url?: string) => proxy({ HTTPS_PROXY: "http://p.test", NO_PROXY: noProxy }, url) === undefined
    for (
      const [entry, url] of [
        ["*"], ["r.test"], ["R.TEST"], ["test"], [".test"], ["*.test"], ["r.test:443"], ["x, r.test ,y"],
        ["10.0.0.0/8", "https://10.1.2.3/"], ["10.1.2.3", "https://10.1.2.3/"], ["fd00::/8", "https://[fd00::1]/"], ["::2", "https://[0:0::2]/"],
        ["[fd00::1]:443", "https://[fd00::1]/"], ["", "https://localhost/"], ["", "https://127.0.0.9/"], ["", "https://[::1]:5000/"], ["r.test", "https://r.test./"]
      ] as ReadonlyArray<readonly [string, string?]>
    ) assert.isTrue(direct(entry, url), `${entry} ${url}`)
    for (
      const [entry, url] of [
        [""], ["t.test"], ["r.test:444"], [".r.test"], ["*.r.test"], ["r.tes"], ["10.0.0.0/8"], ["10.0.0.0/8", "https://11.0.0.1/"],
        ["10.0.0.0/33", "https://10.0.0.1/"], ["10", "https://10.0.0.1/"], ["", "https://localhost.test/"]
      ] as ReadonlyArray<readonly [string, string?]>
    ) assert.isFalse(direct(entry, url), `${entry} ${url}`)
  })

  it("may need a name and a password, which stay out of the address", () => {
    assert.deepStrictEqual(Result.getOrThrow(proxyFor({ HTTPS_PROXY: "http://us%40er:p%C3%A9:x@p.test:1" }, "https://r.test/")), {
      url: "http://p.test:1", credentials: { username: "us@er", password: "p\u00e9:x" }
    })
  })

  it("that cannot be read are an error that does not show them, never the direct way", () => {
    for (const bad of ["socks5://p.test", "http://", "http://u:secret%zz@p.test", "::::"]) {
      const read = proxyFor({ HTTPS_PROXY: bad }, "https://r.test/")
      assert.isTrue(Result.isFailure(read) && !read.failure.message.includes("secret") && read.failure.message.includes("HTTPS_PROXY"), bad)
    }
  })
})
