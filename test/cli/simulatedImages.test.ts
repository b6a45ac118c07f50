/** Images from the command line over the real programs: a simulated machine, and a registry that stays between commands. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { type Outcome, type Props, runLine } from "./Stage.ts"

let root = ""
let archives: Map<string, Uint8Array>

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "fx-cli-"))
  archives = new Map()
})

afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

const fx = (argv: ReadonlyArray<string>, props: Props = {}): Promise<Outcome> =>
  runLine(["--simulated", "--root", root, ...argv], { archives, ...props, engine: "own" })

const done = async (...argv: ReadonlyArray<string>): Promise<string> => {
  const outcome = await fx(argv)
  expect(outcome, argv.join(" ")).toMatchObject({ exitCode: 0 })
  return outcome.stdout
}

/** An image of busybox with a file of its own. */
const make = async (name: string, text = "hello"): Promise<void> => {
  await done("run", "--name", "maker", "busybox", "sh", "-c", `echo ${text} > /file`)
  await done("commit", "-m", "why", "-c", `CMD ["cat","/file"]`, "-c", "LABEL made=here", "maker", name)
  await done("rm", "maker")
}

const names = async (): Promise<ReadonlyArray<string>> =>
  (await done("images", "--format", "{{.Repository}}:{{.Tag}}", "-f", "dangling=false")).trim().split("\n")

const own = ["busybox:latest", "fx/hello:latest"]

describe("an image that a container became", () => {
  it("says what changed, is listed, told of, run, tagged, and removed by its last name", async () => {
    await done("run", "--name", "maker", "busybox", "sh", "-c", "echo hello > /file; rm /bin/ls")
    expect(await done("diff", "maker")).toBe("A /file\nC /usr\nC /usr/bin\nD /usr/bin/ls\n")
    const id = (await done("commit", "-a", "me", "-m", "why", "-c", `CMD ["cat","/file"]`, "maker", "mine:1")).trim()
    await done("tag", "mine:1", "other/name:2")
    expect((await names()).toSorted()).toEqual([...own, "mine:1", "other/name:2"].toSorted())
    expect(await done("run", "--rm", "mine:1")).toBe("hello\n")
    expect(await done("image", "inspect", "-f", "{{.Id}} {{.Author}} {{.Comment}} {{.Config.Cmd}}", "other/name:2"))
      .toBe(`${id} me why [cat /file]\n`)
    expect((await done("history", "--format", "{{.Comment}}|{{.CreatedBy}}", "mine:1")).split("\n")[0])
      .toBe("why|sh -c echo hello > /file; rm /bin/ls")
    expect(await done("images", "--tree")).toMatch(/\n└─ [0-9a-f]{12} +\S+ +mine:1, other\/name:2\n/)
    expect(await done("rmi", "mine:1")).toBe("Untagged: mine:1\n")
    expect(await done("rmi", "other/name:2")).toMatch(new RegExp(`^Untagged: other/name:2\nDeleted: ${id}\nDeleted: sha256:`))
    expect((await names()).toSorted()).toEqual(own)
    await done("rm", "maker")
    expect(await done("system", "check")).toBe("records and kernel agree\n")
  })

  it("knows the image of its container, and two of the engine's own image lie on the same base", async () => {
    await make("mine:1")
    const parent = (name: string) => done("image", "inspect", "-f", "{{.Id}} {{.Parent}}", name)
    const [id, own] = (await parent("mine:1")).trim().split(" ")
    expect(await parent("busybox")).toBe(`${own} \n`)
    await done("run", "--name", "user", "mine:1")
    await done("commit", "user", "mine:2")
    expect((await parent("mine:2")).trim().split(" ")[1]).toBe(id)
    await done("rm", "user")
    await done("run", "--name", "hello", "fx/hello")
    await done("commit", "hello", "one")
    const all = async () => (await done("images", "-a", "-q", "--no-trunc")).trim().split("\n")
    const before = await all()
    await done("commit", "hello", "two")
    expect((await all()).length).toBe(before.length + 1)
  })

  it("is kept while a container is of it", async () => {
    await make("mine:1")
    await done("run", "--name", "user", "mine:1")
    expect(await fx(["rmi", "mine:1"])).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("user") })
    await done("rm", "user")
    await done("rmi", "mine:1")
  })
})

describe("archives of images", () => {
  it("save and load bring back what was there", async () => {
    await make("mine:1")
    // The directories of the layers have other names each time, and an archive does not tell of what an image was made
    const seen = async () => ({ ...JSON.parse(await done("image", "inspect", "mine:1"))[0], GraphDriver: undefined, Parent: undefined })
    const before = await seen()
    await done("save", "-o", "/x.tar", "mine:1")
    await done("rmi", "mine:1")
    expect(await done("load", "-i", "/x.tar")).toBe("Loaded image: mine:1\n")
    expect(await seen()).toEqual(before)
    expect(await done("run", "--rm", "mine:1")).toBe("hello\n")
  })

  it("export and import make one layer of a container", async () => {
    await done("run", "--name", "maker", "busybox", "sh", "-c", "echo exported > /file")
    await done("export", "-o", "/y.tar", "maker")
    await done("import", "-m", "flat", "-c", "ENTRYPOINT [\"cat\"]", "/y.tar", "flat:1")
    expect(await done("run", "--rm", "flat:1", "/file")).toBe("exported\n")
    expect(await done("image", "inspect", "-f", "{{len .RootFS.Layers}} {{.Comment}}", "flat:1")).toBe("1 flat\n")
  })

  it("load takes only what is for the platform that is asked for, and says what there is", async () => {
    await done("run", "--name", "maker", "busybox", "true")
    await done("export", "-o", "/y.tar", "maker")
    await done("import", "--platform", "linux/arm64", "/y.tar", "one:arm")
    await done("import", "--platform", "linux/amd64", "/y.tar", "one:intel")
    await done("save", "-o", "/both.tar", "one:arm", "one:intel")
    await done("rmi", "one:arm", "one:intel")
    expect(await done("load", "-i", "/both.tar", "--platform", "linux/arm64")).toBe("Loaded image: one:arm\n")
    expect(await names()).not.toContain("one:intel")
    const refused = await fx(["load", "-i", "/both.tar", "--platform", "linux/s390x"])
    expect(refused.stderr).toBe("fx-engine: cannot load /both.tar: no image in it is for linux/s390x: " +
      "leave --platform out, or name what is there: linux/arm64, linux/amd64\n")
  })

  it("inspect tells the ports and volumes that a container has of its image", async () => {
    await done("run", "--name", "maker", "busybox", "true")
    await done("commit", "-c", "EXPOSE 80", "-c", "VOLUME /data", "maker", "served:1")
    await done("create", "--name", "server", "served:1")
    expect(await done("inspect", "-f", "{{json .Config.ExposedPorts}} {{json .Config.Volumes}}", "server"))
      .toBe(`{"80/tcp":{}} {"/data":{}}\n`)
    expect(await done("inspect", "-f", "{{json .Config.Volumes}}", "maker")).toBe("null\n")
  })

  it("what is no archive leaves nothing", async () => {
    const refused = await fx(["load"], { stdin: ["no archive at all ".repeat(100)] })
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" })
    expect(await names()).toEqual(expect.arrayContaining(own))
  })
})

describe("a registry", () => {
  const name = "localhost:5000/team/mine"

  it("has what was pushed, for pull and for run", async () => {
    await make(`${name}:1`)
    await done("tag", `${name}:1`, `${name}:2`)
    const pushed = await done("push", "-a", name)
    expect(pushed).toMatch(/^The push refers to repository \[localhost:5000\/team\/mine\]\n/)
    const [, digest] = /1: digest: (sha256:[0-9a-f]{64}) size: [0-9]+\n/.exec(pushed) ?? []
    await done("rmi", `${name}:1`, `${name}:2`)
    expect(await done("pull", `${name}:1`)).toContain(`Digest: ${digest}\nStatus: Downloaded newer image for ${name}:1\n${name}:1\n`)
    expect(await done("pull", `${name}:1`)).toContain(`Status: Image is up to date for ${name}:1\n`)
    // The tag beside a digest is of no matter
    expect(await done("pull", `${name}:1@${digest}`)).toContain(`Status: Image is up to date for ${name}@${digest}\n`)
    expect(await done("images", "--digests", "--format", "{{.Tag}} {{.Digest}}", name)).toBe(`1 ${digest}\n`)
    expect(await fx(["run", "--rm", `${name}:2`])).toMatchObject({
      exitCode: 0, stdout: "hello\n", stderr: expect.stringMatching(/^Unable to find image 'localhost:5000\/team\/mine:2' locally\n/)
    })
    expect(await done("search", "--format", "{{.Name}}", "localhost:5000/mine")).toBe("team/mine\n")
  })

  it("is pulled from again by run --pull always, and never asked by --pull never", async () => {
    await make(`${name}:1`)
    await done("push", "-q", `${name}:1`)
    expect((await fx(["run", "--rm", "--pull", "always", `${name}:1`])).stderr).toContain("Image is up to date")
    expect(await fx(["run", "--rm", "--pull", "never", `${name}:3`]))
      .toMatchObject({ exitCode: 125, stderr: expect.stringContaining(`No such image: ${name}:3`) })
    expect(await fx(["pull", `${name}:3`])).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("manifest unknown") })
  })

  it("knows of the user until they log out", async () => {
    expect(await fx(["login", "-u", "me", "--password-stdin", "localhost:5000"], { stdin: ["secret\n"] }))
      .toMatchObject({ exitCode: 0, stdout: "Login Succeeded\n" })
    expect((await fx(["login", "localhost:5000"])).stderr).toBe("Authenticating with existing credentials... [Username: me]\n")
    await done("logout", "localhost:5000")
    expect(await fx(["login", "localhost:5000"])).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("non TTY device") })
  })
})

describe("room", () => {
  it("comes back by prune, as much as was foretold", async () => {
    await make("mine:1")
    await done("run", "--name", "user", "mine:1")
    await make("idle:1", "other words that take more room")
    const { stdout } = await fx(["system", "prune", "-a"], { stdin: ["y\n"] })
    const [, told] = /Space that comes back: (\S+)\n/.exec(stdout) ?? []
    expect(stdout).toContain("Containers:\n  user (")
    expect(stdout).toMatch(/untagged: idle:1\ndeleted: sha256:/)
    expect(stdout).toMatch(new RegExp(`Total reclaimed space: ${told}\n$`))
    expect((await names()).toSorted()).toEqual(own)
    expect(await done("system", "df", "--format", "{{.Type}} {{.TotalCount}} {{.Reclaimable}}"))
      .toBe("Images 2 0B\nContainers 0 0B\nLocal Volumes 0 0B\nBuild Cache 0 0B\n")
  })

  it("is left as it is without a yes", async () => {
    await make("idle:1")
    await fx(["image", "prune", "-a"], { stdin: ["n\n"] })
    expect(await names()).toContain("idle:1")
  })
})

describe("--plan of commands about images", () => {
  it("shows what would be done and does nothing", async () => {
    await make("mine:1")
    expect(await done("--plan", "tag", "mine:1", "mine:2")).toMatch(/ RecordPut +collection=names key=docker.io\/library\/mine:2 /)
    expect(await done("--plan", "rmi", "mine:1")).toContain("RecordDelete")
    expect(await names()).toContain("mine:1")
    expect(await names()).not.toContain("mine:2")
  })
})
