/** The program with roots of its own, a registry on loopback, and the tools to look at what it makes of images. */
import { spawn, spawnSync } from "node:child_process"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import { DockerRegistry } from "../../interpreters/linux/network/DockerRegistry.ts"
import { environment, RealCli, type Ran } from "../RealCli.ts"
import { patience } from "../RealEngine.ts"
import { type Tree, TreeTool } from "./Tree.ts"

export class RealImages {
  readonly cli: RealCli
  readonly registry: DockerRegistry
  readonly tool: TreeTool
  private places = 0

  private constructor(cli: RealCli, registry: DockerRegistry) {
    this.cli = cli
    this.registry = registry
    this.tool = new TreeTool(cli.directory)
  }

  /** `name`: of the directory of the bundle. */
  static async start(name: string): Promise<RealImages> {
    const cli = new RealCli()
    await cli.build(name)
    return new RealImages(cli, await DockerRegistry.start())
  }

  async dispose(): Promise<void> {
    await this.registry.stop()
    await this.cli.dispose()
  }

  /** A path that nothing is at. */
  place(name: string): string {
    return join(this.cli.directory, `${++this.places}-${name}`)
  }

  /** A new directory. */
  directory(name: string): string {
    const path = this.place(name)
    mkdirSync(path)
    return path
  }

  /** What a command says; it must succeed. */
  fx(...argv: ReadonlyArray<string>): string {
    const ran = this.tried(...argv)
    assert.strictEqual(ran.code, 0, `${argv.join(" ")}: ${ran.stderr}`)
    return ran.stdout.trim()
  }

  /** Without the credentials of whoever runs the tests. Disks take their time for ten thousand files. */
  tried(...argv: ReadonlyArray<string>): Ran {
    const { status, stderr, stdout } = spawnSync(this.cli.program, this.argv(...argv), {
      input: "", env: environment, maxBuffer: 1 << 28, timeout: 300_000 * patience
    })
    return { code: status ?? -1, stdout: stdout.toString(), stderr: stderr.toString() }
  }

  /** As `tried`, while others run, too. */
  meanwhile(...argv: ReadonlyArray<string>): Promise<Ran> {
    const child = spawn(this.cli.program, this.argv(...argv), { env: environment, stdio: ["ignore", "pipe", "pipe"] })
    let [stdout, stderr] = ["", ""]
    child.stdout.on("data", (data: Buffer) => { stdout += data.toString() })
    child.stderr.on("data", (data: Buffer) => { stderr += data.toString() })
    return new Promise((done) => child.on("close", (code) => done({ code: code ?? -1, stdout, stderr })))
  }

  private argv(...argv: ReadonlyArray<string>): ReadonlyArray<string> {
    return [...this.cli.roots, "--config", join(this.cli.directory, "config"), ...argv]
  }

  inspect(image: string, template: string): string {
    return this.fx("image", "inspect", "-f", template, image)
  }

  id(image: string): string {
    return this.inspect(image, "{{.Id}}")
  }

  /** Diff ids, bottom first. */
  layers(image: string): ReadonlyArray<string> {
    return JSON.parse(this.inspect(image, "{{json .RootFS.Layers}}")) as ReadonlyArray<string>
  }

  /** Host directories of the layers, top first. */
  directories(image: string): ReadonlyArray<string> {
    const found = JSON.parse(this.inspect(image, "{{json .GraphDriver.Data}}")) as { UpperDir: string; LowerDir?: string }
    return [found.UpperDir, ...(found.LowerDir === undefined ? [] : found.LowerDir.split(":"))]
  }

  /** An image's files, as a container has them. */
  tree(image: string): Tree {
    return this.tool.listMounted(this.directories(image), this.directory("look"))
  }

  /** A name in the registry on loopback. */
  remote(path: string): string {
    return `${this.registry.host}/${path}`
  }

  /** Removes all images; then the store holds nothing. */
  removeAll(): void {
    const ids = [...new Set(this.fx("images", "-aq", "--no-trunc").split("\n").filter((id) => id !== "" && id !== this.builtin))]
    if (ids.length > 0) this.fx("rmi", "-f", ...ids)
    this.fx("image", "prune", "-af")
  }

  private get builtin(): string {
    return this.id("fx/hello")
  }
}
