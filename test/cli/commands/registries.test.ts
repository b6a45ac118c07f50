import { Effect, Stream } from "effect"
import { describe, expect, it } from "vitest"
import { ContainerError } from "../../../src/domain/container/ContainerError.ts"
import type { ContainerConfig } from "../../../src/domain/container/ContainerConfig.ts"
import type { Credential } from "../../../src/domain/registry/Credential.ts"
import { registryError } from "../../../src/domain/registry/RegistryError.ts"
import { familiarReference } from "../../../src/domain/image/Reference.ts"
import type { ImagesShape } from "../../../src/programs/Images.ts"
import { digest, image } from "../Images.ts"
import { type Props, runLine } from "../Stage.ts"

/** Pulls everything but `old`, which is there already, and keeps what was asked. */
const pulling = (asked: Array<string>): Partial<ImagesShape> => ({
  pull: ({ observe, platform, reference }) => Effect.gen(function*() {
    const name = familiarReference(reference)
    asked.push(platform === undefined ? name : `${name} ${platform.architecture}`)
    yield* observe({ id: reference.tag ?? "digest", status: `Pulling from ${reference.path}` })
    yield* observe({ id: "abc", status: "Pulling fs layer" })
    yield* observe({ id: "abc", status: "Downloading", current: 10, total: 100 })
    yield* observe({ id: "abc", status: "Pull complete" })
    yield* observe({ status: "Digest: sha256:x" })
    return { image: image("1").record, digest: digest("d"), upToDate: name.startsWith("old") }
  }),
  remoteTags: () => Stream.make("1", "2")
})

describe("pull", () => {
  const pull = async (argv: ReadonlyArray<string>, props: Props = {}) => {
    const asked: Array<string> = []
    return { ...await runLine(["pull", ...argv], { images: pulling(asked), ...props }), asked }
  }

  it("tells in a pipe what docker tells there, and nothing of the bytes", async () => {
    expect((await pull(["a"])).stdout).toBe(
      "Using default tag: latest\nlatest: Pulling from library/a\nabc: Pulling fs layer\nabc: Pull complete\nDigest: sha256:x\n" +
      "Status: Downloaded newer image for a:latest\ndocker.io/library/a:latest\n"
    )
    expect((await pull(["old:1"])).stdout).toContain("\nStatus: Image is up to date for old:1\ndocker.io/library/old:1\n")
  })

  it("says the name alone with -q, and takes a platform and a digest", async () => {
    expect(await pull(["-q", "--platform", "linux/arm64", "localhost:5000/x/y:3"]))
      .toMatchObject({ stdout: "localhost:5000/x/y:3\n", asked: ["localhost:5000/x/y:3 arm64"] })
    expect((await pull(["-q", `a@${digest("d")}`])).stdout).toBe(`docker.io/library/a@${digest("d")}\n`)
  })

  it("brings every tag with -a, and wants none then", async () => {
    const { asked, stdout } = await pull(["-a", "a"])
    expect(asked).toEqual(["a:1", "a:2"])
    expect(stdout).toMatch(/\ndocker\.io\/library\/a\n$/)
    expect((await pull(["-a", "a:1"])).stderr).toBe("fx-engine: tag can't be used with --all-tags/-a\n")
    expect((await pull(["A"])).stderr)
      .toMatch(/^fx-engine: invalid reference format: repository name \(library\/A\) must be lowercase: "A": write \[HOST/)
  })

  it("draws bars on a terminal", async () => {
    const { stdout } = await pull(["a:1"], { terminals: ["stdout"], size: { rows: 20, columns: 100 } })
    expect(stdout).toMatch(/\x1b\[2A\r\x1b\[2K1: Pulling from library\/a\n\r\x1b\[2Kabc: Downloading \[=====> +\] +10B\/100B/)
    expect(stdout.endsWith("Digest: sha256:x\nStatus: Downloaded newer image for a:1\ndocker.io/library/a:1\n")).toBe(true)
  })

  it("tells why a registry refused", async () => {
    const refused = registryError({ operation: "fetch manifest", object: "a:1" }, "denied", "no", "log in first")
    expect(await pull(["a:1"], { images: { pull: () => Effect.fail(refused) } }))
      .toMatchObject({ exitCode: 1, stderr: "fx-engine: cannot fetch manifest a:1: no; log in first\n" })
  })
})

describe("push", () => {
  const pushing: Partial<ImagesShape> = {
    push: (_, observe) => Effect.as(observe({ id: "abc", status: "Pushed" }), { digest: digest("d"), size: 1 }),
    pushAll: (_, observe) => Effect.as(observe({ status: "all" }), [])
  }
  const push = async (...argv: ReadonlyArray<string>) => runLine(["push", ...argv], { images: pushing })

  it("tells where to and what", async () => {
    expect((await push("a")).stdout)
      .toBe("Using default tag: latest\nThe push refers to repository [docker.io/library/a]\nabc: Pushed\n")
    expect((await push("-q", "a:1")).stdout).toBe("docker.io/library/a:1\n")
    expect((await push("-a", "a")).stdout).toBe("The push refers to repository [docker.io/library/a]\nall\n")
  })

  it("refuses names that cannot be pushed", async () => {
    expect((await push("-a", "a:1")).stderr).toBe("fx-engine: tag can't be used with --all-tags/-a\n")
    expect((await push(`a@${digest("d")}`)).stderr).toContain("cannot push a digest reference")
  })
})

describe("run and create of an image that is not here", () => {
  const missing = new ContainerError({ operation: "create", object: "a", kind: "missing", cause: "No such image: a" })
  /** An engine that has the image once it was pulled. */
  const creating = (asked: Array<string>): Props => ({
    images: pulling(asked),
    engine: {
      create: ({ image }: ContainerConfig) => Effect.suspend(() => image !== "a" || asked.length > 0
        ? Effect.succeed({ id: "f00", name: "n", warnings: [] })
        : Effect.fail(missing))
    }
  })
  const create = async (...argv: ReadonlyArray<string>) => {
    const asked: Array<string> = []
    return { ...await runLine(["create", ...argv], creating(asked)), asked }
  }

  it("pulls it, with docker's words on stderr", async () => {
    expect(await create("a")).toMatchObject({
      exitCode: 0, stdout: "f00\n", asked: ["a:latest"],
      stderr: "Unable to find image 'a:latest' locally\nlatest: Pulling from library/a\nabc: Pulling fs layer\nabc: Pull complete\n" +
        "Digest: sha256:x\nStatus: Downloaded newer image for a:latest\n"
    })
  })

  it("pulls quietly with -q, for a platform with --platform", async () => {
    expect(await create("-q", "--platform", "linux/arm64", "a"))
      .toMatchObject({ stdout: "f00\n", stderr: "", asked: ["a:latest arm64"] })
  })

  it("does not pull what is here unless it is to be new", async () => {
    expect((await create("b")).asked).toEqual([])
    expect(await create("--pull", "always", "b")).toMatchObject({
      asked: ["b:latest"], stderr: expect.stringMatching(/^latest: Pulling from library\/b\n/)
    })
  })

  it("never pulls with --pull never, and refuses other words", async () => {
    expect(await create("--pull", "never", "a")).toMatchObject({ exitCode: 1, asked: [], stderr: "fx-engine: No such image: a\n" })
    expect(await create("--pull", "foo", "a")).toMatchObject({
      exitCode: 125, stderr: expect.stringContaining(`invalid pull option: 'foo': must be one of "always", "missing" or "never"`)
    })
  })

  it("does not look in registries for ids, nor for what else is missing", async () => {
    const asked: Array<string> = []
    const refusing = (object: string): Props => ({
      images: pulling(asked),
      engine: { create: () => Effect.fail(new ContainerError({ operation: "create", object, kind: "missing", cause: "gone" })) }
    })
    await runLine(["create", digest("1")], refusing(digest("1")))
    await runLine(["create", "--network", "container:x", "a"], refusing("x"))
    expect(asked).toEqual([])
  })

  it("ends run with 125 where the registry does not have it either", async () => {
    const refused = registryError({ operation: "fetch manifest", object: "a" }, "missing", "no", "look elsewhere")
    const props: Props = { ...creating([]), images: { pull: () => Effect.fail(refused) } }
    expect(await runLine(["run", "a"], props)).toMatchObject({
      exitCode: 125, stderr: "Unable to find image 'a:latest' locally\nfx-engine: cannot fetch manifest a: no; look elsewhere\n\n" +
        "Run 'fx-engine run --help' for more information\n"
    })
  })
})

describe("login and logout", () => {
  const wrong = registryError({ operation: "log in to", object: "x" }, "denied", "wrong", "check both")

  /** A registry that takes one password. */
  const logging = (asked: Array<readonly [string, Credential]>, known?: Credential): Props => ({
    registries: {
      credential: () => Effect.succeed(known),
      login: (domain, credential) => Effect.suspend(() => {
        asked.push([domain, credential])
        return credential.kind === "password" && credential.password === "right"
          ? Effect.succeed({ helper: undefined, file: "/home/user/.docker/config.json" })
          : Effect.fail(wrong)
      }),
      logout: (domain) => Effect.sync(() => void asked.push([domain, { kind: "registry", token: "out" }]))
    }
  })
  const login = async (argv: ReadonlyArray<string>, props: Props = {}, known?: Credential) => {
    const asked: Array<readonly [string, Credential]> = []
    return { ...await runLine(argv, { ...logging(asked, known), ...props }), asked }
  }
  const right: Credential = { kind: "password", username: "me", password: "right" }

  it("takes a password from stdin, and tells where it is kept", async () => {
    expect(await login(["login", "-u", "me", "--password-stdin", "localhost:5000"], { stdin: ["ri", "ght\n"] })).toMatchObject({
      exitCode: 0, stdout: "Login Succeeded\n", asked: [["localhost:5000", right]],
      stderr: expect.stringContaining("WARNING! Your credentials are stored unencrypted in '/home/user/.docker/config.json'.")
    })
  })

  it("warns of a password in the command line", async () => {
    const { asked, stderr } = await login(["login", "-u", "me", "-p", "right", "https://localhost:5000/v1/"])
    expect(stderr).toMatch(/^WARNING! Using --password via the CLI is insecure\. Use --password-stdin\.\n/)
    expect(asked).toEqual([["localhost:5000", right]])
  })

  it("asks on a terminal without an echo, and lets the line be edited", async () => {
    const typed = await login(["login"], { stdin: ["me\n", "wrong\x15rih\x7fgx\bht\r"], terminals: ["stdin", "stdout"] })
    expect(typed).toMatchObject({ exitCode: 0, wasRaw: true, isRaw: false, stdout: "Username: Password: \nLogin Succeeded\n" })
    expect(typed.asked).toEqual([["docker.io", right]])
  })

  it("ends with ^C at the question", async () => {
    await expect(login(["login", "-u", "me"], { stdin: ["rig\x03"], terminals: ["stdin"] })).rejects.toThrow(/interrupt/i)
  })

  it("tries what is known first, and asks when that is taken no more", async () => {
    expect(await login(["login", "x.org"], {}, right)).toMatchObject({
      exitCode: 0, stdout: "Login Succeeded\n", stderr: "Authenticating with existing credentials... [Username: me]\n"
    })
    const old: Credential = { kind: "password", username: "me", password: "old" }
    const again = await login(["login", "x.org"], { stdin: ["me\n", "right\n"], terminals: ["stdin"] }, old)
    expect(again).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("wrong; check both") })
    expect(again.asked).toEqual([["x.org", old], ["x.org", right]])
  })

  it.each([
    [["-p", "p", "--password-stdin", "x"], "conflicting options: cannot specify both --password and --password-stdin"],
    [["--password-stdin", "x"], "the --password-stdin option requires --username to be set"],
    [["-u", "u", "x"], "Error: Cannot perform an interactive login from a non TTY device: use --username and --password-stdin"],
    [["-u", "u", "-p", "false", "x"], "cannot log in to x: wrong; check both"]
  ])("refuses %j", async (argv, sentence) => {
    expect(await login(["login", ...argv])).toMatchObject({ exitCode: 1, stdout: "", stderr: expect.stringContaining(sentence) })
  })

  it("logout forgets, by docker's own names for its registry", async () => {
    expect(await login(["logout", "localhost:5000"])).toMatchObject({ stdout: "Removing login credentials for localhost:5000\n" })
    expect(await login(["logout"])).toMatchObject({
      stdout: "Removing login credentials for https://index.docker.io/v1/\n", asked: [["docker.io", expect.anything()]]
    })
  })
})

describe("search", () => {
  const found = [
    { name: "x", description: "desc ".repeat(20), stars: 3, official: true }, { name: "y/z", description: "a\nb", stars: 0, official: false }
  ]
  const asked: Array<unknown> = []
  const search = async (...argv: ReadonlyArray<string>) => runLine(["search", ...argv], {
    registries: {
      search: (...wish) => Effect.sync(() => {
        asked.push(wish)
        return found
      })
    }
  })

  it("has docker's table", async () => {
    expect((await search("x")).stdout).toBe(
      "NAME      DESCRIPTION                                     STARS     OFFICIAL\n" +
      "x         desc desc desc desc desc desc desc desc desc…   3         [OK]\n" +
      "y/z       a b                                             0         \n"
    )
    expect(JSON.parse((await search("--format", "json", "x")).stdout.split("\n")[1]!))
      .toEqual({ Description: "a b", IsOfficial: "false", Name: "y/z", StarCount: "0" })
    expect((await search("--no-trunc", "--format", "{{.Description}}", "x")).stdout).toBe(`${"desc ".repeat(20)}\na b\n`)
  })

  it("filters, limits, and asks the registry that the word names", async () => {
    asked.length = 0
    expect((await search("--filter", "stars=1", "--format", "{{.Name}}", "x")).stdout).toBe("x\n")
    expect((await search("-f", "is-official=false", "--format", "{{.Name}}", "localhost:5000/x/y", "--limit", "7")).stdout).toBe("y/z\n")
    expect(asked).toEqual([["docker.io", "x", 25], ["localhost:5000", "x/y", 7]])
    expect((await search("--limit", "101", "x")).stderr).toContain("limit 101 is outside the range of [1, 100]")
    expect((await search("-f", "stars=many", "x")).stderr).toContain("invalid filter 'stars=many'")
  })
})
