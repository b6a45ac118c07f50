import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Credential } from "../../../src/domain/registry/Credential.ts"
import { dockerCredentials } from "../../../src/programs/registry/dockerCredentials.ts"

const alice: Credential = { kind: "password", username: "alice", password: "pw" }

/** A file and a helper in memory. */
const memory = (text: string) => {
  const state = { text, writes: 0, helper: new Map<string, string>() }
  const credentials = dockerCredentials({
    path: "/c.json",
    read: Effect.sync(() => state.text),
    write: (text) => Effect.sync(() => void (state.text = text, state.writes++)),
    runHelper: (helper, action, input) =>
      Effect.sync(() => {
        assert.strictEqual(helper, "safe")
        if (action === "store") state.helper.set((JSON.parse(input) as { ServerURL: string }).ServerURL, input)
        if (action === "erase") state.helper.delete(input)
        const kept = state.helper.get(input)
        return action !== "get" ? { exitCode: 0, stdout: "" } : kept === undefined
          ? { exitCode: 1, stdout: "credentials not found in native keychain" }
          : { exitCode: 0, stdout: kept }
      })
  })
  return { state, ...credentials }
}

describe("docker's credentials", () => {
  it("are kept, found and forgotten in the file", async () => {
    const { find, forget, keep, state } = memory("")
    assert.deepStrictEqual(await Effect.runPromise(keep("a.test", alice)), { helper: undefined })
    assert.deepStrictEqual(await Effect.runPromise(find("a.test")), alice)
    assert.isUndefined(await Effect.runPromise(find("b.test")))
    await Effect.runPromise(forget("a.test"))
    assert.isUndefined(await Effect.runPromise(find("a.test")))
    assert.notInclude(state.text, "a.test")
  })

  it("are kept at the helper, and no copy stays in the file", async () => {
    const { find, forget, keep, state } = memory(JSON.stringify({ credsStore: "safe", auths: { "a.test": { auth: "b2xkOm9sZA==" } } }))
    assert.deepStrictEqual(await Effect.runPromise(keep("a.test", alice)), { helper: "safe" })
    assert.deepStrictEqual(await Effect.runPromise(find("a.test")), alice)
    assert.notInclude(state.text, "a.test")
    await Effect.runPromise(forget("a.test"))
    assert.isUndefined(await Effect.runPromise(find("a.test")))
    assert.strictEqual(state.helper.size, 0)
  })

  it("leave a file alone that they cannot read, and say so", async () => {
    const { find, keep, state } = memory("{broken")
    for (const attempt of [find("a.test"), keep("a.test", alice)]) {
      assert.include((await Effect.runPromise(Effect.flip(attempt as Effect.Effect<unknown, Error>))).message, "/c.json")
    }
    assert.deepStrictEqual([state.text, state.writes], ["{broken", 0])
  })
})
