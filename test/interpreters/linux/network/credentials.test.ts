/** docker's config.json on disk, and credential helpers as processes. */
import {
  chmodSync, chownSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync
} from "node:fs"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import type { Credential } from "../../../../src/domain/registry/Credential.ts"
import { credentialStore, dockerConfigPath, layer } from "../../../../src/interpreters/linux/network/DockerConfigFile.ts"
import { Credentials } from "../../../../src/programs/registry/Credentials.ts"
import { dockerCredentials } from "../../../../src/programs/registry/dockerCredentials.ts"

const host = "registry.test:5000"
const alice: Credential = { kind: "password", username: "alice", password: "sec:ret" }

/** Keeps what it is given in a file beside it; as the protocol has it, names and secrets come as JSON on standard input. */
const helper = `#!/bin/sh
store="$(dirname "$0")/kept"
case "$1" in
store) cat > "$store" ;;
get) cat > /dev/null; if [ -e "$store" ]; then cat "$store"; else echo "credentials not found in native keychain"; exit 1; fi ;;
erase) cat > /dev/null; rm -f "$store" ;;
esac
`

describe("credentials of docker", () => {
  let directory = ""
  let path = ""
  beforeEach(() => {
    directory = mkdtempSync("/tmp/fx-test-credentials-")
    path = join(directory, ".docker/config.json")
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const environment = () => ({ PATH: `${join(directory, "bin")}:/usr/bin:/bin` })
  const keeper = () => dockerCredentials(credentialStore(path, environment()))
  const find = (name = host) =>
    Effect.runPromise(Effect.provide(Effect.flatMap(Credentials, (credentials) => credentials.find(name)), layer(path, environment())))
  const write = (config: object) => {
    mkdirSync(join(directory, ".docker"), { recursive: true })
    writeFileSync(path, JSON.stringify(config))
  }
  const install = (name: string, text: string) => {
    mkdirSync(join(directory, "bin"), { recursive: true })
    const file = join(directory, "bin", `docker-credential-${name}`)
    writeFileSync(file, text)
    chmodSync(file, 0o755)
  }

  it("are in the user's home, unless the environment names another directory", () => {
    assert.strictEqual(dockerConfigPath({}, "/home/alice"), "/home/alice/.docker/config.json")
    assert.strictEqual(dockerConfigPath({ DOCKER_CONFIG: "/etc/mine" }, "/home/alice"), "/etc/mine/config.json")
  })

  it("are kept in a file for the user alone, which is made when there is none, and found and forgotten again", async () => {
    assert.isUndefined(await find())
    assert.deepStrictEqual(await Effect.runPromise(keeper().keep(host, alice)), { helper: undefined })
    assert.strictEqual(statSync(path).mode & 0o777, 0o600)
    assert.strictEqual(statSync(join(directory, ".docker")).mode & 0o777, 0o700)
    assert.deepStrictEqual(await find(), alice)
    assert.isUndefined(await find("other.test"))
    await Effect.runPromise(keeper().forget(host))
    assert.isUndefined(await find())
  })

  it("leave the rest of the file, and a link to it, as they were", async () => {
    const real = join(directory, "dotfiles.json")
    writeFileSync(real, JSON.stringify({ psFormat: "x", auths: { "other.test": { auth: "YTpi" } } }))
    mkdirSync(join(directory, ".docker"))
    symlinkSync("../dotfiles.json", path)
    await Effect.runPromise(keeper().keep(host, alice))
    assert.isTrue(lstatSync(path).isSymbolicLink())
    const written = JSON.parse(readFileSync(real, "utf8"))
    assert.deepStrictEqual([written.psFormat, Object.keys(written.auths).toSorted()], ["x", ["other.test", host]])
  })

  const ownerAndMode = (file: string): string => {
    const { gid, mode, uid } = statSync(file)
    return `${uid}:${gid} ${(mode & 0o777).toString(8)}`
  }

  it.each([[0o640, "640"], [0o400, "400"], [0o600, "600"]] as const)(
    "leave the file to its owner, with its mode %o", async (mode, shown) => {
      write({})
      chmodSync(path, mode)
      if (process.geteuid!() === 0) chownSync(path, 1000, 1001)
      const before = ownerAndMode(path)
      await Effect.runPromise(keeper().keep(host, alice))
      assert.strictEqual(ownerAndMode(path), before)
      assert.isTrue(before.endsWith(` ${shown}`))
    })

  it.runIf(process.geteuid!() === 0)("kept by root in another's directory are the other's", async () => {
    mkdirSync(join(directory, ".docker"))
    chownSync(join(directory, ".docker"), 1000, 1001)
    await Effect.runPromise(keeper().keep(host, alice))
    assert.strictEqual(ownerAndMode(path), "1000:1001 600")
  })

  it("of a helper go there and come from there, and not into the file", async () => {
    install("safe", helper)
    write({ credsStore: "safe" })
    assert.isUndefined(await find())
    assert.deepStrictEqual(await Effect.runPromise(keeper().keep(host, alice)), { helper: "safe" })
    assert.notInclude(readFileSync(path, "utf8"), "alice")
    assert.deepStrictEqual(JSON.parse(readFileSync(join(directory, "bin/kept"), "utf8")), {
      ServerURL: host, Username: "alice", Secret: "sec:ret"
    })
    assert.deepStrictEqual(await find(), alice)
    await Effect.runPromise(keeper().forget(host))
    assert.isFalse(existsSync(join(directory, "bin/kept")))
  })

  it("of a helper for one registry come from that one", async () => {
    install("one", helper)
    write({ credHelpers: { [host]: "one" }, auths: { "other.test": { auth: Buffer.from("bob:x").toString("base64") } } })
    await Effect.runPromise(keeper().keep(host, alice))
    assert.deepStrictEqual(await find(), alice)
    assert.deepStrictEqual(await find("other.test"), { kind: "password", username: "bob", password: "x" })
  })

  it("cannot be had of a helper that is missing, fails, says something else, says too much, or is killed", async () => {
    const cases: ReadonlyArray<readonly [string | undefined, string]> = [
      [undefined, "there is no such program"],
      ["#!/bin/sh\nexit 3\n", "failed (3)"],
      ["#!/bin/sh\necho hello\n", "printed something else"],
      ["#!/bin/sh\nhead -c 2000000 /dev/zero\n", "more than 1048576 bytes"],
      ["#!/bin/sh\nkill -9 $$\n", "SIGKILL"]
    ]
    write({ credsStore: "bad" })
    for (const [text, cause] of cases) {
      if (text !== undefined) install("bad", text)
      const error = await Effect.runPromise(Effect.flip(keeper().find(host)))
      assert.strictEqual(error.kind, "unavailable")
      assert.include(error.message, cause)
    }
  })

  it("of a helper that waits for its user may be waited for no longer", async () => {
    install("slow", `#!/bin/sh\necho $$ > ${directory}/pid\nexec sleep 1000\n`)
    write({ credsStore: "slow" })
    const waiting = Effect.runFork(keeper().find(host))
    while (!existsSync(join(directory, "pid")) || readFileSync(join(directory, "pid"), "utf8") === "") {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const pid = readFileSync(join(directory, "pid"), "utf8").trim()
    await Effect.runPromise(Fiber.interrupt(waiting))
    while (existsSync(`/proc/${pid}`)) await new Promise((resolve) => setTimeout(resolve, 5))
  })

  it("in a file that is not docker's are an error that says which file", async () => {
    mkdirSync(join(directory, ".docker"))
    writeFileSync(path, "{ not json")
    const error = await Effect.runPromise(Effect.flip(keeper().find(host)))
    assert.deepStrictEqual([error.kind, error.object], ["invalid", path])
    writeFileSync(path, " ".repeat(1_048_577))
    assert.include((await Effect.runPromise(Effect.flip(keeper().find(host)))).cause, "longer than 1048576 bytes")
  })
})
