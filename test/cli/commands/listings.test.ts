import { Effect, Stream } from "effect"
import { afterAll, describe, expect, it, vi } from "vitest"
import type { Engine } from "../../../src/programs/Engine.ts"
import { exited, id, missing, runLine, summary } from "../Stage.ts"

// The columns count seconds: on a busy machine some go by before a test runs
vi.useFakeTimers({ toFake: ["Date"] })
// Effect's clock goes on from there by the kernel's
vi.spyOn(process.hrtime, "bigint").mockReturnValue(0n)
afterAll(() => void vi.useRealTimers().restoreAllMocks())

/** Times that count from now, as the columns do. */
const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString()

const bindDefaults = {
  _tag: "Bind", readonly: false, recursive: "enabled", propagation: "", createSource: false
} as const

const containers = [
  summary("one", "running", {
    record: { id: id("aaa"), createdAt: ago(7200) }, startedAt: ago(7200),
    config: {
      command: ["sh", "-c", "sleep 100000000 and more"], labels: { a: "b", c: "d" },
      mounts: [{ ...bindDefaults, source: "/srv/one", target: "/data" }]
    }
  }),
  summary("two", "exited",
    { record: { id: id("bbb"), createdAt: ago(30) }, exit: exited(3), finishedAt: ago(5), startedAt: ago(20) }),
  summary("three", "paused",
    { record: { id: id("ccc"), createdAt: ago(90) }, startedAt: ago(90), config: { labels: { a: "x" } } }),
  summary("four", "created", { record: { id: id("ddd"), createdAt: ago(60) } })
]

const engine: Partial<Engine["Service"]> = {
  list: Effect.succeed(containers),
  size: () => Effect.succeed({ rw: 12345, rootFs: 1234567 })
}

const ps = async (...argv: ReadonlyArray<string>): Promise<string> =>
  (await runLine(["ps", ...argv], { engine })).stdout
const names = async (...argv: ReadonlyArray<string>): Promise<ReadonlyArray<string>> =>
  (await ps("--format", "{{.Names}}", ...argv)).split("\n").filter((name) => name !== "")

describe("ps", () => {
  it("shows running containers in docker's columns", async () => {
    expect(await ps()).toBe(
      "CONTAINER ID   IMAGE     COMMAND                  CREATED              " +
        "STATUS                       PORTS     NAMES\n" +
        `ccc000000000   busybox   "sh"                     About a minute ago   ` +
        "Up About a minute (Paused)             three\n" +
        `aaa000000000   busybox   "sh -c 'sleep 100000…"   2 hours ago          ` +
        "Up 2 hours                             one\n"
    )
  })

  it("shows all with -a, newest first, with their status", async () => {
    expect(await ps("-a", "--format", "{{.Names}}: {{.Status}}")).toBe(
      "two: Exited (3) 5 seconds ago\nfour: Created\nthree: Up About a minute (Paused)\none: Up 2 hours\n"
    )
  })

  it("shows the last ones with -n and -l, whatever their state", async () => {
    expect(await names("-n", "2")).toEqual(["two", "four"])
    expect(await names("-l")).toEqual(["two"])
  })

  it("prints ids with -q, whole ones with --no-trunc", async () => {
    expect(await ps("-q")).toBe("ccc000000000\naaa000000000\n")
    expect(await ps("-ql", "--no-trunc")).toBe(`${id("bbb")}\n`)
  })

  it("measures sizes only when they are asked for", async () => {
    const unmeasured = { list: engine.list! }
    expect((await runLine(["ps"], { engine: unmeasured })).exitCode).toBe(0)
    expect((await runLine(["ps"], { engine: unmeasured })).stderr).toBe("")
    expect(await ps("-sl", "--format", "{{.Size}}")).toBe("12.3kB (virtual 1.23MB)\n")
    expect(await ps("-sl")).toContain("SIZE")
  })

  it("writes json a line each", async () => {
    const rows = (await ps("-a", "--format", "json")).trim().split("\n").map((line) =>
      JSON.parse(line) as Record<string, unknown>)
    expect(rows.map((row) => row["Names"])).toEqual(["two", "four", "three", "one"])
    expect(rows[3]).toMatchObject({ Command: `"sh -c 'sleep 100000…"`, Labels: "a=b,c=d", State: "running",
      Networks: "none" })
  })

  it("tells of a field that rows do not have", async () => {
    expect(await runLine(["ps", "--format", "{{.Foo}}"], { engine })).toMatchObject({ exitCode: 1, stdout: "" })
  })

  describe("--filter", () => {
    it.each([
      [["-f", "name=t.*o$"], ["two"]],
      [["-f", "id=aaa"], ["one"]],
      [["-f", "label=a"], ["three", "one"]],
      [["-f", "label=a=b"], ["one"]],
      [["-f", "label=a", "-f", "label=c"], ["one"]],
      [["-f", "name=one", "-f", "name=two"], ["two", "one"]],
      [["-f", "exited=3"], ["two"]],
      [["-f", "ancestor=busybox:latest"], ["two", "four", "three", "one"]],
      [["-f", "network=none"], ["two", "four", "three", "one"]],
      [["-f", "network=host"], []],
      [["-f", "volume=/data"], ["one"]],
      [["-f", "volume=/srv/one"], ["one"]],
      [["-f", "health=none", "-f", "name=one"], ["one"]],
      [["-f", "health=healthy"], []],
      [["-f", "is-task=false", "-f", "name=one"], ["one"]],
      [["-f", "is-task=1"], []],
      [["-f", "publish=80"], []],
      [["-f", "expose=8000-8010/udp", "-f", "name=one"], []],
      [["-f", "before=four"], ["three", "one"]],
      [["-f", "since=bbb"], []],
      [["-f", "since=three"], ["two", "four"]]
    ])("%j keeps %j", async (argv, kept) => {
      expect(await names("-a", ...argv)).toEqual(kept)
    })

    it("looks at all states when one is named", async () => {
      expect(await names("-f", "status=created", "-f", "status=exited")).toEqual(["two", "four"])
    })

    it.each(["foo=bar", "is-task=maybe", "publish=80:80", "expose=http", "status=asleep", "health=ill", "exited=x", "before=nobody"])("refuses %s", async (filter) => {
      const outcome = await runLine(["ps", "--filter", filter], { engine })
      expect(outcome.exitCode).toBe(1)
      expect(outcome.stderr).toMatch(/^fx-engine: (invalid filter|No such container)/)
    })

    it("tells how ports are written, and takes one answer about tasks", async () => {
      expect((await runLine(["ps", "-f", "publish=90-80"], { engine })).stderr).toBe(
        `fx-engine: invalid filter 'publish=90-80': the range "90-80" ends before it begins: ` +
          "write PORT[-PORT][/PROTOCOL] such as 8000-8010/tcp; ports go up to 65535\n"
      )
      expect((await runLine(["ps", "-f", "is-task=true", "-f", "is-task=0"], { engine })).stderr)
        .toBe("fx-engine: invalid filter 'is-task': it cannot be both true and false: ask for one of them\n")
    })
  })
})

describe("inspect", () => {
  const view = { Id: id("aaa"), Name: "/one", Config: { Labels: { a: "b" } }, State: { Running: true } }
  const looking = {
    inspect: (reference: string) => reference === "one" ? Effect.succeed(view) : Effect.fail(missing(reference)),
    size: () => Effect.succeed({ rw: 1, rootFs: 2 })
  } as unknown as Partial<Engine["Service"]>
  const inspect = (...argv: ReadonlyArray<string>) => runLine(["inspect", ...argv], { engine: looking, images: { inspect: (name) => Effect.fail(missing(name)) } })

  it("prints a list of objects", async () => {
    expect((await inspect("one")).stdout).toBe(`${JSON.stringify([view], null, 4)}\n`)
    expect(JSON.parse((await inspect("-s", "one")).stdout)).toMatchObject([{ SizeRw: 1, SizeRootFs: 2 }])
  })

  it("prints what there is and tells what there is not", async () => {
    expect(await inspect("nope"))
      .toMatchObject({ exitCode: 1, stdout: "[]\n", stderr: "fx-engine: No such object: nope: name a container of ps -a, or one of images\n" })
    expect(await inspect("-f", "{{.Name}}", "one", "nope")).toMatchObject({ exitCode: 1, stdout: "/one\n" })
    expect((await runLine(["container", "inspect", "nope"], { engine: looking })).stderr)
      .toBe("fx-engine: No such container: nope\n")
  })

  it("fills templates; a label that is not there is no value, a field is an error", async () => {
    expect((await inspect("-f", "{{.Config.Labels.zz}} {{json .Config.Labels}}", "one")).stdout)
      .toBe(`<no value> {"a":"b"}\n`)
    const outcome = await inspect("-f", "{{.Foo}}", "one")
    expect(outcome.exitCode).toBe(1)
    expect(outcome.stderr).toContain(`map has no entry for key "Foo"`)
  })

  it("refuses types that it does not know", async () => {
    expect((await runLine(["inspect", "--type", "foo", "x"], { engine: looking })).stderr)
      .toBe(`fx-engine: unknown type: "foo": must be one of "container", "image"\n`)
  })
})

describe("top and stats", () => {
  it("aligns processes as docker does", async () => {
    const topping: Partial<Engine["Service"]> = {
      top: () => Effect.succeed({ titles: ["PID", "CMD"], processes: [["1", "sh -c x"], ["22222222222", "y"]] })
    }
    expect((await runLine(["top", "one"], { engine: topping })).stdout)
      .toBe("PID                 CMD\n1                   sh -c x\n22222222222         y\n")
  })

  it("leaves the options behind the container to ps", async () => {
    const asked: Array<unknown> = []
    const topping: Partial<Engine["Service"]> = {
      top: (reference, wish) => Effect.sync(() => {
        asked.push([reference, wish?.options])
        return { titles: ["PID"], processes: [["1"]] }
      })
    }
    await runLine(["top", "one", "-o", "pid"], { engine: topping })
    await runLine(["top", "one", "aux", "--sort=-rss"], { engine: topping })
    expect(asked).toEqual([["one", ["-o", "pid"]], ["one", ["aux", "--sort=-rss"]]])
  })

  const display = {
    cpuPercent: 20, memoryUsage: 12345678, memoryLimit: 99999999, memoryPercent: 12.345, blockRead: 12345,
      blockWrite: 999999, pids: 3
  }
  const round = [
    { record: containers[0]!.record, display },
    { record: containers[1]!.record, display: undefined }
  ]
  const measuring: Partial<Engine["Service"]> = { stats: () => Stream.make(round, round) }

  it("shows running containers once with --no-stream", async () => {
    expect((await runLine(["stats", "--no-stream"], { engine: measuring })).stdout).toBe(
      "CONTAINER ID   NAME      CPU %     MEM USAGE / LIMIT     MEM %     NET I/O   BLOCK I/O          PIDS\n" +
      "aaa000000000   one       20.00%    11.77MiB / 95.37MiB   12.35%    0B / 0B   12.3kB / 1e+03kB   3\n"
    )
  })

  it("shows those that do not run with -a, with nothing used", async () => {
    expect((await runLine(["stats", "-a", "--no-stream", "--format", "{{.Name}} {{.CPUPerc}} {{.MemUsage}}"],
      { engine: measuring })).stdout)
      .toBe("one 20.00% 11.77MiB / 95.37MiB\ntwo 0.00% 0B / 0B\n")
  })

  it("goes on, and redraws on a terminal only", async () => {
    const plain = (await runLine(["stats", "--format", "{{.Name}}"], { engine: measuring })).stdout
    expect(plain).toBe("one\none\n")
    const live = (await runLine(["stats", "--format", "{{.Name}}"],
      { engine: measuring, terminals: ["stdout"] })).stdout
    expect(live).toBe("\x1b[2J" + "\x1b[Hone\x1b[K\n\x1b[J".repeat(2))
  })
})
