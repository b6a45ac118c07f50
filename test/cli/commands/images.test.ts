import { Effect, Stream } from "effect"
import { afterAll, describe, expect, it, vi } from "vitest"
import { ContainerError } from "../../../src/domain/container/ContainerError.ts"
import type { PruneFilters } from "../../../src/programs/container/prune.ts"
import type { ImagesShape } from "../../../src/programs/Images.ts"
import { digest, image, inspected, type Sketch } from "../Images.ts"
import { type Props, runLine, summary } from "../Stage.ts"

// The columns count seconds: on a busy machine some go by before a test runs
vi.useFakeTimers({ toFake: ["Date"] })
// Effect's clock goes on from there by the kernel's
vi.spyOn(process.hrtime, "bigint").mockReturnValue(0n)
afterAll(() => void vi.useRealTimers().restoreAllMocks())

const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString()
const dash = `sha256:${"d".repeat(64)}`

/** What docker's client 28 shows of these is in the tables below, word for word. */
const many = [
  image("222", { createdAt: ago(4000), size: 999 }),
  image("111", { createdAt: ago(100), size: 12_345_678, names: ["a:1", "a:2", "b/c:latest", `a@${dash}`] }),
  image("333", { createdAt: "1970-01-01T00:00:00Z", size: 5, names: [`z@${dash}`] }),
  image("444", { createdAt: "0001-01-01T00:00:00Z", size: 5, names: [`y@${dash}`] })
]

const none = (reference: string) =>
  new ContainerError({ operation: "find", object: reference, kind: "missing", cause: `No such image: ${reference}` })

const onImages = (images: Partial<ImagesShape>, more: Props = {}): Props => ({ ...more, images })

describe("images", () => {
  const show = async (...argv: ReadonlyArray<string>) => (await runLine(["images", ...argv], onImages({ list: Effect.succeed(many) }))).stdout

  it("has docker's table: a row for each name, the newest first, nothing for no time", async () => {
    expect(await show()).toBe(
      "REPOSITORY   TAG       IMAGE ID       CREATED              SIZE\n" +
      "a            1         111000000000   About a minute ago   12.3MB\n" +
      "a            2         111000000000   About a minute ago   12.3MB\n" +
      "b/c          latest    111000000000   About a minute ago   12.3MB\n" +
      "<none>       <none>    222000000000   About an hour ago    999B\n" +
      `z            <none>    333000000000   ${new Date().getFullYear() - 1970} years ago         5B\n` +
      "y            <none>    444000000000   N/A                  5B\n"
    )
  })

  it("has digests where they are wanted", async () => {
    const rows = (await show("--digests", "--format", "{{.Repository}} {{.Tag}} {{.Digest}}")).split("\n")
    expect(rows).toEqual([
      `a 1 ${dash}`, `a 2 ${dash}`, "b/c latest <none>", "<none> <none> <none>", `z <none> ${dash}`, `y <none> ${dash}`, ""
    ])
    expect(await show("--digests")).toMatch(/^REPOSITORY +TAG +DIGEST +IMAGE ID +CREATED +SIZE\n/)
    expect(await show("--format", "{{.Digest}}", "z")).toBe("\n")
  })

  it("has JSON with docker's fields", async () => {
    expect(JSON.parse((await show("--format", "json")).split("\n")[2]!)).toMatchObject({
      Containers: "N/A", CreatedSince: "About a minute ago", Digest: "<none>", ID: "111000000000", Repository: "b/c", SharedSize: "N/A",
      Size: "12.3MB", Tag: "latest", UniqueSize: "N/A", VirtualSize: "12.35MB"
    })
  })

  it("has ids alone, short or whole", async () => {
    expect((await show("-q")).split("\n").slice(0, 4)).toEqual(["111000000000", "111000000000", "111000000000", "222000000000"])
    expect(await show("-q", "--no-trunc", "-f", "dangling=false")).toBe(`${digest("111")}\n`.repeat(3))
    // Digests alone are no names, as docker has it
    expect(await show("-q", "-f", "dangling=true")).toBe("222000000000\n333000000000\n444000000000\n")
  })

  it("picks by repository, name and pattern, and shows only the names that match", async () => {
    expect(await show("-q", "b/c")).toBe("111000000000\n")
    expect(await show("--format", "{{.Repository}}:{{.Tag}}", "a:2")).toBe("a:2\n")
    expect(await show("-q", "c")).toBe("")
    expect(await show("--format", "{{.Tag}}", "-f", "reference=b/*")).toBe("latest\n")
    expect(await show("-q", "-f", "before=111", "-f", "since=z")).toBe("")
    expect(await show("-q", "-f", "before=a:1", "-f", `since=z@${dash}`)).toBe("222000000000\n")
  })

  it("refuses filters that are none in docker's words", async () => {
    expect(await runLine(["images", "-f", "foo"], onImages({}))).toMatchObject({
      exitCode: 125, stderr: expect.stringContaining(`invalid argument "foo" for "-f, --filter" flag: bad format of filter (expected name=value)`)
    })
    expect(await runLine(["images", "-f", "foo=1"], onImages({}))).toMatchObject({
      exitCode: 1, stderr: expect.stringMatching(/^fx-engine: invalid filter 'foo'/)
    })
  })

  it("shows as a tree what images share", async () => {
    const shared: Sketch["layers"] = [["ba5e", 5000]]
    const stored = [image("1", { names: ["a:1"], layers: shared }), image("2", { layers: [...shared, ["7a9", 100]] })]
    const props = onImages({ list: Effect.succeed(stored), inspect: (id) => Effect.succeed(inspected(stored.find((one) => one.id === id)!)) })
    expect((await runLine(["images", "--tree"], props)).stdout).toBe(
      "LAYER             SIZE      IMAGES\n" +
      "ba5e00000000      5kB       a:1\n" +
      "└─ 7a9000000000   100B      <none> (200000000000)\n"
    )
    expect((await runLine(["images", "--tree", "-q"], props)).stderr).toContain("--quiet is not supported together with --tree")
  })
})

describe("history", () => {
  const rows = [
    {
      id: digest("111"), created: ago(50), createdBy: "/bin/sh -c #(nop)  CMD [\"sh\"] something rather long indeed\tx", size: 0,
      comment: "buildkit", tags: ["a:1"]
    },
    { id: "<missing>", created: "1970-01-01T00:00:00Z", createdBy: "", size: 1_234_567, comment: "", tags: [] },
    { id: "<missing>", created: "", createdBy: "x", size: 7, comment: "", tags: [] }
  ]
  const show = async (...argv: ReadonlyArray<string>) =>
    (await runLine(["history", ...argv, "a"], onImages({ history: () => Effect.succeed(rows) }))).stdout

  it("has docker's table", async () => {
    expect(await show()).toBe(
      "IMAGE          CREATED          CREATED BY                                      SIZE      COMMENT\n" +
      "111000000000   50 seconds ago   /bin/sh -c #(nop)  CMD [\"sh\"] something rath…   0B        buildkit\n" +
      "<missing>      N/A                                                              1.23MB    \n" +
      "<missing>      N/A              x                                               7B        \n"
    )
  })

  it("has times and bytes as numbers with -H=false, and all of the text with --no-trunc", async () => {
    expect((await show("-H=false")).split("\n").slice(1)).toEqual([
      expect.stringMatching(/^111000000000 {3}20..-..-..T..:..:..Z {3}\/bin\/sh .*… {3}0 {9}buildkit$/),
      expect.stringMatching(/^<missing> {6}1970-01-01T00:00:00Z +1234567 {3}$/),
      expect.stringMatching(/^<missing> {6}0001-01-01T00:00:00Z {3}x +7 {9}$/), ""
    ])
    expect(await show("--no-trunc", "--format", "{{.ID}} {{.CreatedBy}}"))
      .toContain(`${digest("111")} /bin/sh -c #(nop)  CMD ["sh"] something rather long indeed x\n`)
    expect(await show("-q")).toBe("111000000000\n<missing>\n<missing>\n")
  })
})

describe("image inspect", () => {
  const stored = image("abc", {
    names: ["busybox:1", `busybox@${dash}`], size: 4242, layers: [["1", 1000], ["2", 20]],
    config: { command: ["sh"], env: ["A=1"] }
  })
  const props = onImages({
    inspect: (reference) => reference === "busybox:1"
      ? Effect.succeed(inspected(stored, { author: "me", history: [{ comment: "first" }, { comment: "last" }] }))
      : Effect.fail(none(reference))
  }, { engine: { inspect: (reference) => Effect.fail(none(reference)) } })

  it("has docker's fields", async () => {
    const { stdout } = await runLine(["image", "inspect", "busybox:1"], props)
    expect(JSON.parse(stdout)).toEqual([{
      Id: digest("abc"), RepoTags: ["busybox:1"], RepoDigests: [`busybox@${dash}`], Parent: "", Comment: "last",
      Created: "2024-05-01T10:00:00Z", DockerVersion: "", Author: "me",
      Config: {
        User: "", Env: ["A=1"], Cmd: ["sh"], Volumes: null, WorkingDir: "", Entrypoint: null, OnBuild: null, Labels: null
      },
      Architecture: "amd64", Os: "linux", Size: 4242,
      GraphDriver: { Data: { LowerDir: "/store/1000", UpperDir: "/store/2000" }, Name: "overlay2" },
      RootFS: { Type: "layers", Layers: [digest("1"), digest("2")] }, Metadata: { LastTagTime: "0001-01-01T00:00:00Z" }
    }])
  })

  it("fills templates, also with fields that say nothing", async () => {
    const fill = async (format: string) => (await runLine(["inspect", "-f", format, "busybox:1"], props)).stdout
    expect(await fill("{{.Config.Cmd}} {{json .Config.Healthcheck}} {{.Variant}}|{{index .RepoTags 0}}")).toBe("[sh] null |busybox:1\n")
  })

  it("tells what is not there, and what is not for a platform", async () => {
    expect(await runLine(["image", "inspect", "nope"], props))
      .toMatchObject({ exitCode: 1, stdout: "[]\n", stderr: "fx-engine: No such image: nope\n" })
    expect((await runLine(["inspect", "nope"], props)).stderr).toBe("fx-engine: No such object: nope: name a container of ps -a, or one of images\n")
    expect((await runLine(["image", "inspect", "--platform", "linux/arm64", "busybox:1"], props)).stderr)
      .toContain("image with reference busybox:1 was found but does not provide the specified platform (linux/arm64)")
    expect((await runLine(["image", "inspect", "--platform", "linux/amd64", "busybox:1"], props)).exitCode).toBe(0)
  })
})

describe("rmi, tag and diff", () => {
  const props = onImages({
    remove: (name) => name === "a:1"
      ? Effect.succeed([{ _tag: "Untagged", name: "a:1" }, { _tag: "Deleted", digest: digest("1") }])
      : Effect.fail(none(name))
  })

  it("tells what was untagged and deleted, and goes on after one that is not there", async () => {
    expect(await runLine(["rmi", "nope", "a:1"], props)).toMatchObject({
      exitCode: 1, stdout: `Untagged: a:1\nDeleted: ${digest("1")}\n`, stderr: "fx-engine: No such image: nope\n"
    })
    expect(await runLine(["image", "rm", "-f", "nope"], props)).toMatchObject({ exitCode: 0, stderr: "fx-engine: No such image: nope\n" })
  })

  it("passes on what else is wanted", async () => {
    const asked: Array<unknown> = []
    await runLine(["rmi", "--no-prune", "-f", "x"], onImages({
      remove: (...wish) => Effect.sync(() => {
        asked.push(wish)
        return []
      })
    }))
    await runLine(["tag", "a", "b:2"], onImages({ tag: (...wish) => Effect.sync(() => void asked.push(wish)) }))
    expect(asked).toEqual([["x", { force: true, noPrune: true }], ["a", "b:2"]])
  })

  it("prints changes as docker does", async () => {
    const changed = onImages({ diff: () => Effect.succeed([{ kind: "C", path: "/etc" }, { kind: "A", path: "/etc/new" }]) })
    expect((await runLine(["diff", "one"], changed)).stdout).toBe("C /etc\nA /etc/new\n")
    expect((await runLine(["diff", ""], changed)).stderr).toBe("fx-engine: Container name cannot be empty\n")
  })
})

describe("import and commit", () => {
  const importing = (asked: Array<unknown>) => onImages({
    import: (wish) => Effect.gen(function*() {
      const pieces = yield* Stream.runCollect(wish.data)
      asked.push([wish.source, wish.reference, wish.defaults, wish.message, wish.platform?.architecture,
        pieces.map((piece) => new TextDecoder().decode(piece))])
      return image("2").record
    })
  }, {
    files: { "x.tar": "tar" }, stdin: ["from ", "stdin"],
    registries: { download: (url) => Stream.make(new TextEncoder().encode(url)) }
  })

  it("import takes a file, stdin or a URL, with changes, a message and a platform", async () => {
    const asked: Array<unknown> = []
    const props = importing(asked)
    const argv = ["import", "-c", `CMD ["a", "b"]`, "-c", "ENV X=1 Y=\"two words\"", "-c", "WORKDIR /w", "-c", "USER me", "-m", "why",
      "--platform", "linux/arm64", "x.tar", "b:1"]
    expect(await runLine(argv, props)).toMatchObject({ exitCode: 0, stdout: `${digest("2")}\n` })
    await runLine(["import", "-"], props)
    expect((await runLine(["import", "https://example.org/x.tar", "c"], props)).stderr).toBe("Downloading from https://example.org/x.tar\n")
    expect(asked).toEqual([
      ["x.tar", "b:1", { entrypoint: [], command: ["a", "b"], env: ["X=1", "Y=two words"], workingDirectory: "/w", user: "me" }, "why",
        "arm64", ["tar"]],
      ["-", "", expect.anything(), "", undefined, ["from ", "stdin"]],
      ["https://example.org/x.tar", "c", expect.anything(), "", undefined, ["https://example.org/x.tar"]]
    ])
  })

  it("import refuses what is no file, no change and no name", async () => {
    const props = importing([])
    expect((await runLine(["import", "nothing.tar", "b"], props)).stderr).toBe("fx-engine: open nothing.tar: no such file or directory\n")
    expect((await runLine(["import", "-c", "FOO x", "-", "b"], props)).stderr).toContain("FOO is not a valid change command")
    expect((await runLine(["import", "-", "A"], props)).stderr)
      .toBe("fx-engine: invalid reference format: repository name (library/A) must be lowercase: \"A\": write [HOST[:PORT]/]NAME[:TAG][@sha256:…] " +
        "with the name in lower case, such as debian:13\n")
  })

  it("commit passes everything on and prints the id", async () => {
    const asked: Array<unknown> = []
    const props = onImages({
      commit: (wish) => Effect.sync(() => {
        asked.push(wish)
        return image("3").record
      })
    })
    expect((await runLine(["commit", "-a", "me", "-m", "why", "-c", "USER x", "--pause=false", "one", "n:1"], props)).stdout)
      .toBe(`${digest("3")}\n`)
    await runLine(["commit", "--no-pause", "one"], props)
    await runLine(["commit", "one"], props)
    const plain = { container: "one", reference: "", author: "", message: "", changes: [] }
    expect(asked).toEqual([
      { container: "one", reference: "n:1", author: "me", message: "why", changes: ["USER x"], pause: false },
      { ...plain, pause: false }, { ...plain, pause: true }
    ])
  })
})

describe("save, load and export", () => {
  const saving = onImages({ save: (names) => Stream.make(new TextEncoder().encode(names.join("+"))) }, {
    engine: { copyOut: (name, path) => Stream.make(new TextEncoder().encode(`${name} ${path}`)) }
  })

  it("save writes a file or stdout, and refuses a terminal in docker's words", async () => {
    expect((await runLine(["save", "-o", "/x.tar", "a", "b"], saving)).files.get("/x.tar")).toBe("a+b")
    expect((await runLine(["save", "a"], saving)).stdout).toBe("a")
    expect((await runLine(["save", "a"], { ...saving, terminals: ["stdout"] })).stderr)
      .toBe("fx-engine: cowardly refusing to save to a terminal. Use the -o flag or redirect\n")
  })

  it("export has the whole of a container", async () => {
    expect((await runLine(["export", "one"], saving)).stdout).toBe("one /")
    expect((await runLine(["export", "-o", "/y.tar", "one"], saving)).files.get("/y.tar")).toBe("one /")
    expect((await runLine(["export", "one"], { ...saving, terminals: ["stdout"] })).stderr).toContain("cowardly refusing to export")
  })

  it("load tells what came, with -q nothing but names, and refuses a terminal", async () => {
    const sources: Array<string> = []
    const loading = onImages({
      load: ({ data, observe, source }) => Effect.gen(function*() {
        sources.push(`${source}: ${(yield* Stream.runCollect(data)).map((piece) => new TextDecoder().decode(piece)).join("")}`)
        yield* observe({ id: "abc", status: "Loading layer" })
        yield* observe({ status: "Loaded image: a:1" })
        return []
      })
    }, { stdin: ["piped"], files: { "/a.tar": "tar" } })
    expect((await runLine(["load", "-i", "/a.tar"], loading)).stdout).toBe("abc: Loading layer\nLoaded image: a:1\n")
    expect((await runLine(["load", "-q"], loading)).stdout).toBe("Loaded image: a:1\n")
    expect(sources).toEqual(["/a.tar: tar", "-: piped"])
    expect((await runLine(["load"], { ...loading, terminals: ["stdin"] })).stderr)
      .toBe("fx-engine: requested load from stdin, but stdin is empty\n")
    expect((await runLine(["load", "-i", "/nope"], loading)).stderr).toContain("open /nope: no such file or directory")
  })
})

describe("prune and df", () => {
  const kept = image("1", { names: ["kept:1"], size: 5000, layers: [["ba5e", 4000], ["1", 1000]] })
  const gone = image("2", { size: 6000, layers: [["ba5e", 4000], ["2", 2000]] })
  const idle = image("3", { names: ["idle:1"], size: 300, layers: [["3", 300]], config: { labels: { keep: "no" } } })
  const stored = [kept, gone, idle]
  const up = summary("web", "running", { record: { imageId: kept.id } })
  const stopped = summary("old", "exited", { record: { imageId: idle.id }, exit: { code: 0, signal: 0, oomKilled: false } })
  const removed: Array<string> = []
  const asked: Array<unknown> = []
  const wanted: Array<PruneFilters> = []
  const usage = (image: typeof kept, shared: number, unique: number, containers: number) => ({ image, shared, unique, containers })
  const props: Props = {
    engine: {
      list: Effect.succeed([up, stopped]),
      prunable: (filters) => Effect.sync(() => {
        wanted.push(filters)
        return filters.labels.length > 0 ? [] : [{ summary: stopped, bytes: 70 }]
      }),
      prune: (containers) => Effect.sync(() => {
        removed.push(...containers.map(({ summary }) => summary.record.id))
        return containers
      })
    },
    images: {
      list: Effect.succeed(stored), inspect: (id) => Effect.succeed(inspected(stored.find((one) => one.id === id)!)),
      diskUsage: Effect.succeed({
        images: [usage(kept, 4000, 1000, 1), usage(gone, 4000, 2000, 0), usage(idle, 0, 300, 1)],
        containers: [{ record: up.record, running: true, size: 30 }, { record: stopped.record, running: false, size: 70 }],
        layers: 7300, blobs: 4850, waste: 11
      }),
      prune: (all, filters) => Effect.sync(() => {
        asked.push([all, filters.labels.length, filters.until !== undefined])
        return { images: [gone], bytes: 3400 }
      })
    }
  }
  /** Layer, half as much again for its blob, its manifest, and what nobody needs. */
  const ofGone = 2000 + 1000 + 400 + 11

  it("image prune shows what goes and how much, asks, and does nothing without a yes", async () => {
    const refused = await runLine(["image", "prune"], { ...props, stdin: ["n\n"] })
    expect(refused).toMatchObject({
      exitCode: 0,
      stdout: "WARNING! This will remove all dangling images.\nImages:\n  200000000000, 6kB\n" +
        `Space that comes back: ${ofGone / 1000}kB\nAre you sure you want to continue? [y/N] `
    })
    expect(await runLine(["image", "prune"], props)).toMatchObject({ exitCode: 0 })
    expect(asked).toEqual([])
  })

  it("image prune removes with a yes, or with --force unasked", async () => {
    asked.length = 0
    const said = await runLine(["image", "prune"], { ...props, stdin: ["y\n"] })
    expect(said.stdout).toContain(`[y/N] Deleted Images:\ndeleted: ${gone.id}\n\nTotal reclaimed space: 3.4kB\n`)
    const forced = await runLine(["image", "prune", "-a", "-f", "--filter", "until=1h", "--filter", "label=x"], props)
    expect(forced.stdout).toBe(`Deleted Images:\ndeleted: ${gone.id}\n\nTotal reclaimed space: 3.4kB\n`)
    expect(asked).toEqual([[false, 0, false], [true, 1, true]])
    expect((await runLine(["image", "prune", "--filter", "reference=x"], props)).stderr).toContain("invalid filter 'reference'")
  })

  it("system prune takes containers that do not run, and images that only they need", async () => {
    removed.length = 0
    const { stdout } = await runLine(["system", "prune", "-a"], { ...props, stdin: ["y\n"] })
    expect(stdout).toBe(
      "WARNING! This will remove:\n  - all stopped containers\n  - all images without at least one container associated to them\n\n" +
      `Containers:\n  old (${stopped.record.id.slice(0, 12)}, 70B)\nImages:\n  200000000000, 6kB\n  idle:1 (300000000000), 300B\n` +
      `Space that comes back: ${(ofGone + 300 + 150 + 400 + 70) / 1000}kB\n\nAre you sure you want to continue? [y/N] ` +
      `Deleted Containers:\n${stopped.record.id}\n\nDeleted Images:\ndeleted: ${gone.id}\n\nTotal reclaimed space: 3.47kB\n`
    )
    expect(removed).toEqual([stopped.record.id])
  })

  it("system prune tells its filters, and leaves containers that these do not mean", async () => {
    removed.length = 0
    const { stdout } = await runLine(["system", "prune", "--filter", "label=x"], { ...props, stdin: ["y\n"] })
    expect(stdout).toContain("  - all dangling images\n\n  Items to be pruned will be filtered with:\n  - label=x\n\n")
    expect(removed).toEqual([])
  })

  it("df counts images and containers, and what could come back", async () => {
    expect((await runLine(["system", "df"], props)).stdout).toBe(
      "TYPE            TOTAL     ACTIVE    SIZE      RECLAIMABLE\n" +
      "Images          3         2         12.15kB   3.411kB (28%)\n" +
      "Containers      2         1         100B      70B (70%)\n" +
      "Local Volumes   0         0         0B        0B\n" +
      "Build Cache     0         0         0B        0B\n"
    )
    expect(JSON.parse((await runLine(["system", "df", "--format", "json"], props)).stdout.split("\n")[0]!))
      .toEqual({ Type: "Images", TotalCount: "3", Active: "2", Size: "12.15kB", Reclaimable: "3.411kB (28%)" })
  })

  it("df -v has each of them", async () => {
    const { stdout } = await runLine(["system", "df", "-v"], props)
    expect(stdout).toMatch(/^Images space usage:\n\nREPOSITORY +TAG +IMAGE ID +CREATED +SIZE +SHARED SIZE +UNIQUE SIZE +CONTAINERS\n/)
    expect(stdout).toMatch(/kept +1 +100000000000 +.* +5kB +4kB +1kB +1\n<none> +<none> +200000000000 +.* +6kB +4kB +2kB +0\n/)
    expect(stdout).toMatch(/Containers space usage:\n\nCONTAINER ID +IMAGE +COMMAND +LOCAL VOLUMES +SIZE +CREATED +STATUS +NAMES\n/)
    expect(stdout).toMatch(/"sh" +0 +30B .*web\n/)
    const { Containers, Images, Volumes } = JSON.parse((await runLine(["system", "df", "-v", "--format", "json"], props)).stdout)
    expect([Images.length, Containers.length, Volumes]).toEqual([3, 2, []])
    expect(Images[0]).toMatchObject({ ID: kept.id, SharedSize: "4kB", UniqueSize: "1kB", Containers: "1" })
  })

  it("df -v tells of volumes and the build cache as docker does where there are none, and fills templates", async () => {
    expect((await runLine(["system", "df", "-v"], props)).stdout).toContain(
      "\n\nLocal Volumes space usage:\n\nVOLUME NAME   LINKS     SIZE\n\nBuild cache usage: 0B\n\n" +
      "CACHE ID   CACHE TYPE   SIZE      CREATED   LAST USED   USAGE     SHARED\n"
    )
    const format = "{{range .Images}}{{.UniqueSize}} {{end}}{{len .Containers}} {{len .Volumes}}"
    expect((await runLine(["system", "df", "-v", "--format", format], props)).stdout).toBe("1kB 2kB 300B 2 0\n")
    expect((await runLine(["system", "df", "-v", "--format", "table {{.ID}}"], props)))
      .toMatchObject({ exitCode: 1, stderr: expect.stringContaining("leave out --verbose") })
  })

  it("container prune shows what goes, asks, and removes", async () => {
    removed.length = 0
    const shown = "WARNING! This will remove all stopped containers.\n" +
      `Containers:\n  old (${stopped.record.id.slice(0, 12)}, 70B)\nSpace that comes back: 70B\n` +
      "Are you sure you want to continue? [y/N] "
    expect(await runLine(["container", "prune"], { ...props, stdin: ["n\n"] })).toMatchObject({ exitCode: 0, stdout: shown })
    expect(removed).toEqual([])
    const gone = `Deleted Containers:\n${stopped.record.id}\n\nTotal reclaimed space: 70B\n`
    expect((await runLine(["container", "prune"], { ...props, stdin: ["y\n"] })).stdout).toBe(shown + gone)
    expect((await runLine(["container", "prune", "-f"], props)).stdout).toBe(gone)
    expect(removed).toEqual([stopped.record.id, stopped.record.id])
  })

  it("container prune passes on docker's filters and knows no others", async () => {
    wanted.length = 0
    const { stdout } = await runLine(["container", "prune", "-f", "--filter", "label=a=b", "--filter", "label!=c", "--filter", "until=1h"], props)
    expect(stdout).toBe("Total reclaimed space: 0B\n")
    expect(wanted).toMatchObject([{ labels: [{ name: "a", value: "b" }], excludedLabels: [{ name: "c" }], until: expect.any(BigInt) }])
    expect(await runLine(["container", "prune", "-f", "--filter", "status=exited"], props))
      .toMatchObject({ exitCode: 1, stderr: expect.stringContaining("use one of until, label, label!") })
  })

  it("system prune refuses what docker refuses", async () => {
    expect(await runLine(["system", "prune", "--volumes", "--filter", "until=1h"], props)).toMatchObject({
      exitCode: 1, stderr: expect.stringContaining('the "until" filter is not supported with "--volumes"')
    })
  })
})
