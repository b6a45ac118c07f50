import * as fc from "fast-check"
import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { boolean, integer, list, text } from "../../../src/cli/argv/Flag.ts"
import { parseArguments } from "../../../src/cli/argv/parseArguments.ts"

const flags = {
  all: boolean("", { short: "a" }),
  proxy: boolean("", { initial: true }),
  env: list("", { short: "e" }),
  last: integer("", { short: "n" }),
  name: text("", { aliases: ["called"] })
}

const parse = (argv: ReadonlyArray<string>, interspersed = true) => parseArguments(flags, argv, { interspersed })
const values = (...argv: ReadonlyArray<string>) => Result.getOrThrow(parse(argv)).values
const failure = (...argv: ReadonlyArray<string>) => {
  const parsed = parse(argv)
  return Result.isFailure(parsed) ? parsed.failure : "no failure"
}

describe("flags", () => {
  it("have their initial values where nothing is said", () => {
    expect(values()).toEqual({ all: false, proxy: true, env: [], last: undefined, name: "" })
  })

  it.each([
    ["-e", "A=1"], ["-eA=1"], ["-e=A=1"], ["--env", "A=1"], ["--env=A=1"], ["-aeA=1"], ["-ae", "A=1"], ["-ae=A=1"]
  ])("%s %s gives one value", (...argv) => {
    expect(values(...argv.filter((word) => word !== undefined)).env).toEqual(["A=1"])
  })

  it("of booleans may be given a value with an equals sign only", () => {
    expect(values("--proxy=false").proxy).toBe(false)
    expect(values("-a=false").all).toBe(false)
    const { arguments: rest, values: read } = Result.getOrThrow(parse(["--all", "false"]))
    expect([read.all, rest]).toEqual([true, ["false"]])
  })

  it("take a value that looks like a flag", () => {
    expect(values("--name", "--all").name).toBe("--all")
    expect(values("--name=").name).toBe("")
  })

  it("have second names", () => {
    expect(values("--called", "x").name).toBe("x")
  })

  it("say which of them were given, whatever their value", () => {
    expect([...Result.getOrThrow(parse(["-a=false", "--name="])).given]).toEqual(["all", "name"])
  })

  it("read numbers in Go's forms", () => {
    expect(values("-n", "0x10").last).toBe(16)
    expect(values("-n-3").last).toBe(-3)
  })
})

describe("arguments", () => {
  it("may stand between flags, or end them", () => {
    const line = ["one", "-a", "two"]
    expect(Result.getOrThrow(parse(line)).arguments).toEqual(["one", "two"])
    expect(Result.getOrThrow(parse(line, false))).toMatchObject({ arguments: line, values: { all: false } })
  })

  it("begin after two dashes, which are no argument themselves", () => {
    expect(Result.getOrThrow(parse(["--", "-a", "--"])).arguments).toEqual(["-a", "--"])
    expect(Result.getOrThrow(parse(["one", "--", "-a"], false)).arguments).toEqual(["one", "--", "-a"])
  })

  it("may be a single dash", () => {
    expect(Result.getOrThrow(parse(["-", "x"], false)).arguments).toEqual(["-", "x"])
  })
})

describe("mistakes", () => {
  it.each([
    [["--foo"], "unknown flag: --foo"],
    [["--foo=1"], "unknown flag: --foo"],
    [["-ax"], "unknown shorthand flag: 'x' in -x"],
    [["-a-"], "unknown shorthand flag: '-' in --"],
    [["--name"], "flag needs an argument: --name"],
    [["--called"], "flag needs an argument: --called"],
    [["-ae"], "flag needs an argument: 'e' in -e"],
    [["---x"], "bad flag syntax: ---x"],
    [["--=x"], "bad flag syntax: --=x"],
    [["-n", "x"], `invalid argument "x" for "-n, --last" flag: strconv.ParseInt: parsing "x": invalid syntax`],
    [["--proxy=1x"], `invalid argument "1x" for "--proxy" flag: strconv.ParseBool: parsing "1x": invalid syntax`],
    [["--foo", "--bar"], "unknown flag: --foo"]
  ])("%j", (argv, sentence) => {
    expect(failure(...argv)).toBe(sentence)
  })
})

it("whatever is written is read or refused, and arguments keep their order", () => {
  const word = fc.oneof(fc.string(),
    fc.constantFrom("-a", "--all", "-e", "--env", "--env=x", "-n", "--", "-", "--name", "one", "-ae1"))
  fc.assert(fc.property(fc.array(word), fc.boolean(), (argv, interspersed) => {
    const parsed = parse(argv, interspersed)
    if (Result.isFailure(parsed)) return parsed.failure.length > 0
    let from = 0
    return parsed.success.arguments.every((argument) => {
      from = argv.indexOf(argument, from) + 1
      return from > 0
    })
  }))
})
