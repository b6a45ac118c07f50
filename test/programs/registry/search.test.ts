import { assert, describe, it } from "@effect/vitest"
import type { Registry } from "../../../src/programs/registry/Registry.ts"
import { alice, bearer, content, host, makeBench, publish, users } from "./simulatedClient.ts"

const find = (term: string, limit = 25) => (registry: Registry["Service"]) => registry.search(host, term, limit)

const withRepositories = (options: Parameters<typeof makeBench>[0], names: ReadonlyArray<string>) => {
  const bench = makeBench(options)
  for (const name of names) publish(bench.registry, [content(10)], name)
  return bench
}

const names = ["team/web", "team/web-tools", "team/database", "other/webcam"]

describe("a search", () => {
  it("is the registry's own where it has one", async () => {
    const bench = withRepositories({ setup: { search: true } }, names)
    const found = await bench.run(find("web"))
    assert.deepStrictEqual(found.map(({ name }) => name).toSorted(), ["other/webcam", "team/web", "team/web-tools"])
    assert.isTrue(found.every(({ description, stars }) => typeof description === "string" && typeof stars === "number"))
    assert.deepStrictEqual(bench.network.requests("search").map(({ url }) => new URL(url).search), ["?q=web&n=25"])
    assert.deepStrictEqual(bench.network.requests("catalog"), [])
  })

  it("looks through the names of all repositories where the registry has none", async () => {
    const bench = withRepositories({ setup: { pageSize: 1 } }, names)
    const found = await bench.run(find("WEB"))
    assert.deepStrictEqual(found.map(({ name }) => name).toSorted(), ["other/webcam", "team/web", "team/web-tools"])
    assert.isTrue(found.every(({ official, stars }) => !official && stars === 0))
  })

  it("gives no more than was asked for, and asks for no more pages than it takes", async () => {
    const listed = withRepositories({ setup: { pageSize: 1 } }, names)
    assert.strictEqual((await listed.run(find("web", 1))).length, 1)
    assert.strictEqual(listed.network.requests("catalog").length, 1)
    const searched = withRepositories({ setup: { search: true } }, names)
    assert.strictEqual((await searched.run(find("web", 2))).length, 2)
  })

  it("takes a term as it is written", async () => {
    const bench = withRepositories({ setup: { search: true } }, names)
    assert.deepStrictEqual(await bench.run(find("a&n=1#b/../c ü")), [])
    const [request] = bench.network.requests("search")
    assert.strictEqual(new URL(request!.url).searchParams.get("q"), "a&n=1#b/../c ü")
  })

  it("that nobody answers is an error that says what to do instead", async () => {
    const bench = makeBench({ setup: { catalog: false } })
    const error = await bench.fail(find("web"))
    assert.deepStrictEqual([error.kind, error.operation, error.object], ["unsupported", "search for", `web in ${host}`])
    assert.include(error.cure, "name the repository in full")
  })

  it("among repositories that not everybody may see is made with the user's credential", async () => {
    const setup = { authentication: bearer, users, publicPull: false }
    const bench = withRepositories({ setup, credential: alice }, names)
    assert.strictEqual((await bench.run(find("database"))).length, 1)
    const error = await withRepositories({ setup }, names).fail(find("database"))
    assert.strictEqual(error.kind, "unsupported")
  })

  it("whose answer is not a list of repositories is refused", async () => {
    const broken = makeBench({ setup: { search: true }, faults: [{ route: "search", effect: { kind: "truncate", after: 5 } }] })
    assert.strictEqual((await broken.fail(find("web"))).kind, "corrupt")
  })

  it("brings no control characters to a terminal", async () => {
    const bench = makeBench({ setup: { search: true } })
    bench.registry.state.repository("web\u001b[31m")
    const [found] = await bench.run(find("web"))
    assert.match(`${found!.name}${found!.description}`, /^[ -~]+$/)
  })
})
