import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { refused, understood } from "./commandLines.ts"
import { bodyOf, configOf, oracle, read } from "./ours.ts"
import { fileContents } from "./Recorded.ts"

type Fields = { readonly [field: string]: unknown }

/** Docker leaves these to its daemon, which then has the values that we have from the beginning. */
const daemonDefaults: Fields = { NetworkMode: "none", CgroupnsMode: "private", IpcMode: "private",
  ShmSize: 64 * 1024 * 1024 }

/** What docker's client says where the user said nothing, in fields that we only have when something was said. */
const optional = ["Sysctls", "Annotations", "Init", "Tmpfs"]

const expectedHost = (differing: Fields): Fields => {
  const all: Fields = { ...oracle.plain.HostConfig, ...daemonDefaults, ...differing }
  return { ...all, LogDriver: (all["LogConfig"] as { readonly Type: string }).Type || "json-file" }
}

const pick = (fields: Fields, names: ReadonlyArray<string>): Fields =>
  Object.fromEntries(names.filter((name) => name in fields).map((name) => [name, fields[name]]))

describe("a create command line means what docker's client makes of it", () => {
  it("has a record of every command line", () => {
    expect(oracle.understood.map(({ argv }) => argv)).toEqual(understood)
    expect(oracle.refused.map(({ argv }) => argv)).toEqual(refused)
  })

  it.each(oracle.understood.map((one) => [one.argv.join(" "), one] as const))("create %s", (_, { argv, body }) => {
    const ours = bodyOf(Result.getOrThrow(configOf(argv)))
    // docker's client gives the variables of -e in no order of its own
    const sorted = (config: Fields): Fields =>
      ({ ...config, Env: (config["Env"] as Array<string> | null)?.toSorted() ?? null })
    const optionalConfig = ["StopSignal", "StopTimeout", "Healthcheck"]
    const configFields = [...Object.keys(ours.Config), ...optionalConfig]
    expect(sorted(ours.Config)).toEqual(sorted(pick({ ...oracle.plain.Config, ...body.Config }, configFields)))
    const host = expectedHost(body.HostConfig)
    // --mount type=tmpfs has a field of its own in docker's body, see below
    const hostFields = [...Object.keys(ours.HostConfig), ...optional].filter((name) => name !== "Tmpfs" ||
      !("Mounts" in host))
    expect(pick(ours.HostConfig, hostFields)).toEqual(pick(host, hostFields))
  })
})

describe("--mount means what docker's client makes of it", () => {
  const mountsOf = (argv: ReadonlyArray<string>) => Result.getOrThrow(configOf(argv)).mounts

  it("tmpfs with size and mode", () => {
    expect(mountsOf(["--mount", "type=tmpfs,target=/x,tmpfs-size=1m,tmpfs-mode=700", "image"]))
      .toEqual([{ _tag: "Tmpfs", target: "/x", options: ["mode=700", "size=1m"] }])
  })

  it("a bind of the working directory that takes no mounts along", () => {
    expect(mountsOf(["--mount", "type=bind,source=.,target=/x,bind-recursive=disabled", "image"])).toEqual([{
      _tag: "Bind", source: "/cwd", target: "/x", readonly: false, recursive: "disabled", propagation: "",
        createSource: false
    }])
  })
})

/** Docker's words for a program of another name. */
const renamed = (text: string): string =>
  // A slip of docker's in a few of its sentences
  text.replace("\nSRun ", "\nRun ").replaceAll("docker ", "fx-engine ").replaceAll("docker:", "fx-engine:").replaceAll("'docker'", "'fx-engine'")

/** What comes after parsing is judged by the command itself: those are looked at in the commands' tests. */
const judgedLater = (stderr: string): boolean => !stderr.includes("\n\nUsage:") &&
  !/^unknown help|unknown command/m.test(stderr)

describe("a mistake in a command line is told in docker's words", () => {
  const early = oracle.refused.filter(({ stderr }) => !judgedLater(stderr))

  it.each(early.map((one) => [one.argv.join(" "), one] as const))("%s", async (_, { argv, exitCode, stderr }) => {
    const answer = await read(argv)
    expect(answer).toEqual({ _tag: "Answer", stream: "stderr", text: renamed(stderr), exitCode })
  })
})

describe("options that contradict each other are refused in docker's words", () => {
  const inFiles = (argv: ReadonlyArray<string>) => argv.some((word) => word.includes("/nonexistent"))
  const later = oracle.refused.filter(({ argv, exitCode, stderr }) =>
    judgedLater(stderr) && exitCode === 125 && (argv[0] === "run" || argv[0] === "create") && !inFiles(argv))

  it.each(later.map((one) => [one.argv.join(" "), one] as const))("%s", (_, { argv, stderr }) => {
    const sentence = /^docker: ([^]*?)\n\nRun /.exec(stderr)?.[1] ?? "?"
    const config = configOf(argv.slice(1))
    expect(Result.isFailure(config) ? config.failure : "understood").toContain(sentence)
  })
})

describe("help has docker's layout", () => {
  /** Flags of docker's that we do not have, and the other way round, with all their lines. */
  const withoutFlags = (help: string, known: (flag: string) => boolean): string => {
    let keep = true
    return help.split("\n").filter((line) => {
      const flag = /^ {2}(?:-., | {4})--([a-z0-9-]+)/.exec(line)?.[1]
      if (flag !== undefined) keep = known(flag)
      else if (!line.startsWith("      ")) keep = true
      return keep
    }).join("\n")
  }
  const flagsIn = (help: string): ReadonlySet<string> =>
    new Set([...help.matchAll(/^ {2}(?:-., | {4})--([a-z0-9-]+)/gm)].map((found) => found[1] ?? ""))

  /** Sentences that are about docker itself or its daemon. */
  const neutral = (words: string): string =>
    words.replace("in the Docker host's cgroup namespace", "in the host's cgroup namespace")
      .replace("Use the cgroup namespace as configured by the default-cgroupns-mode option on the daemon (default)",
        "Use a private cgroup namespace (default)")
      .replace("information on Docker objects", "information on objects")
      .replace("List multi-platform images as a tree (EXPERIMENTAL)", "Show the layers as a tree, and which images share them")
      .replace("Show fx-engine disk usage", "Show disk usage")
      .replace("the default is defined by the daemon", "the default is Docker Hub")

  it.each(oracle.helps.map((one) => [one.path, one] as const))("%s --help", async (path, { stdout }) => {
    const answer = await read([...path.split(" "), "--help"])
    if (answer._tag !== "Answer") throw new Error("no help")
    expect(answer.exitCode).toBe(0)
    const ours = flagsIn(answer.text)
    const theirs = flagsIn(stdout)
    const both = (flag: string) => ours.has(flag) && theirs.has(flag)
    const words = (text: string) => withoutFlags(text, both).split(/\s+/).join(" ").trim()
    expect(words(answer.text)).toBe(neutral(words(renamed(stdout))))
  })

  it("wraps the flags of run to the terminal as docker does", async () => {
    const theirs = oracle.helps.find(({ path }) => path === "run")?.stdout ?? ""
    const answer = await read(["run", "--help"])
    const line = (text: string, flag: string) => withoutFlags(text, (one) => one === flag).split("Options:")[1]
    for (const flag of ["memory-swap", "health-start-period", "cpuset-cpus", "interactive", "sig-proxy",
      "device-read-bps"]) {
      expect(line(answer._tag === "Answer" ? answer.text : "", flag)).toBe(line(theirs, flag))
    }
  })
})

it("the files that command lines of the record name have contents", () => {
  const named = understood.flat().filter((word) => word.includes("$"))
  expect(named.every((word) => Object.keys(fileContents).some((name) => word.includes(name)))).toBe(true)
})
