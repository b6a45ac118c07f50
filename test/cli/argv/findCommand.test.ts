import { describe, expect, it } from "vitest"
import { common, groups, others } from "../../../src/cli/commands/catalogue.ts"
import { findCommand } from "../../../src/cli/argv/findCommand.ts"
import { read } from "../oracle/ours.ts"

const found = (...argv: ReadonlyArray<string>) => {
  const one = findCommand(argv, () => 80)
  if (one._tag === "Answer") throw new Error(one.text)
  return one
}

const answered = async (...argv: ReadonlyArray<string>) => {
  const one = await read(argv)
  if (one._tag === "Read") throw new Error("it was understood")
  return one
}

const understood = async (...argv: ReadonlyArray<string>) => {
  const one = await read(argv)
  if (one._tag === "Answer") throw new Error(one.text)
  return one
}

describe("a command", () => {
  it("is found by its short and its long form", () => {
    expect(found("ps", "-a").entry).toBe(found("container", "ls", "-a").entry)
    expect(found("container", "ps").entry).toBe(found("container", "list").entry)
    expect(found("rmi", "x").entry).toBe(found("image", "remove", "x").entry)
    expect(found("container", "ls", "-a")).toMatchObject({ path: "container ls", argv: ["-a"] })
  })

  it("follows global flags, which have defaults", () => {
    const { argv, globals } = found("--root", "/r", "--exec-root=/e", "-l", "debug", "--simulated", "run", "--rm", "x")
    expect(globals).toMatchObject({ root: "/r", "exec-root": "/e", "log-level": "debug", simulated: true, plan: false })
    expect(argv).toEqual(["--rm", "x"])
    expect(found("ps").globals)
      .toMatchObject({ root: "/var/lib/fx-engine", "exec-root": "", simulated: false })
  })

  it("has code behind every name, with a help of its own", async () => {
    const paths = [
      ...Object.keys({ ...common, ...others }),
      ...Object.entries(groups).flatMap(([group, { commands }]) =>
        Object.keys(commands).map((name) => `${group} ${name}`))
    ]
    for (const path of paths) {
      const help = await answered(...path.split(" "), "--help")
      expect(help).toMatchObject({ exitCode: 0, stream: "stdout" })
      expect(help.text.split("\n")[0]).toMatch(new RegExp(`^Usage:  fx-engine ${path}\\b`))
    }
  })

  it("says the same of itself in its own help as in the list", async () => {
    for (const [name, entry] of Object.entries({ ...common, ...others })) {
      expect((await entry.load()).summary, name).toBe(entry.summary)
    }
  })
})

describe("--plan and --trace", () => {
  it("may stand before or after the command", async () => {
    expect((await understood("--plan", "rm", "x")).invocation.plan).toBe(true)
    expect((await understood("rm", "--plan", "x")).invocation.plan).toBe(true)
    expect((await understood("--trace", "f", "ps")).trace).toBe("f")
    expect((await understood("ps", "--trace=f")).trace).toBe("f")
  })

  it("belong to the container's command behind the image", async () => {
    const { invocation } = await understood("run", "image", "cmd", "--plan")
    expect(invocation).toMatchObject({ plan: false, arguments: ["image", "cmd", "--plan"] })
  })

  it("change nothing for a command that only looks", async () => {
    expect((await understood("ps", "--plan")).invocation.plan).toBe(false)
  })

  it("--format goes with --plan, as text or json", async () => {
    expect((await understood("rm", "--plan", "--format", "json", "x")).planFormat).toBe("json")
    expect((await understood("rm", "--plan", "x")).planFormat).toBe("text")
    expect(await answered("rm", "--format", "json", "x")).toMatchObject({ exitCode: 125 })
    expect((await answered("rm", "--plan", "--format", "xml", "x")).text).toContain("--plan shows text or json")
  })
})

describe("help", () => {
  it("is what the program says without a command", async () => {
    const { text } = await answered()
    expect(text).toBe((await answered("--help")).text)
    expect(text).toBe((await answered("help")).text)
    expect(text).toContain("Run 'fx-engine COMMAND --help' for more information on a command.")
    expect(text).not.toContain("reap")
  })

  it("is given for commands and groups in each way there is to ask", async () => {
    expect((await answered("help", "ps")).text).toBe((await answered("ps", "--help")).text)
    expect((await answered("ps", "-h")).text).toBe((await answered("ps", "--help")).text)
    expect((await answered("help", "container", "ls")).text).toContain("Usage:  fx-engine container ls [OPTIONS]")
    expect((await answered("container", "--help")).stream).toBe("stdout")
    expect((await answered("container")).stream).toBe("stderr")
  })

  it("tells of a log level that there is not", async () => {
    expect((await answered("--log-level", "loud", "ps")).text).toContain("unable to parse logging level: loud")
  })

  it("prints the version and is done", async () => {
    expect((await answered("--version", "ps")).text).toMatch(/^fx-engine version [0-9]+\.[0-9]+\.[0-9]+\n$/)
  })
})
