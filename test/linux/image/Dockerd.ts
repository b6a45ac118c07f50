/**
 * Docker's own daemon over directories of its own, for its words on our archives. It runs no container and has namespaces
 * for itself: what it would do to the machine's network, to /etc/docker and to /run is seen by nobody and ends with it.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { patience } from "../RealEngine.ts"

/** unshare(1) sees to it that killing the child kills all; the two directories are those that dockerd has no option for. */
const alone = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
const begin = `for hidden in /etc/docker /run; do [ ! -d $hidden ] || mount -t tmpfs none $hidden; done; exec "$@"`

export class Dockerd {
  private readonly socket: string
  private readonly child: ChildProcess

  private constructor(socket: string, child: ChildProcess) {
    this.socket = socket
    this.child = child
  }

  /** In a new directory, which is left for others to remove. */
  static async start(directory: string): Promise<Dockerd> {
    const at = (name: string) => join(directory, name)
    mkdirSync(directory)
    writeFileSync(at("settings.json"), "{}")
    const log = openSync(at("log"), "w")
    const child = spawn("unshare", [
      ...alone, "sh", "-c", begin, "sh", "dockerd", "--data-root", at("data"), "--exec-root", at("run"), "--pidfile", at("pid"),
      "--config-file", at("settings.json"), "--host", `unix://${at("socket")}`, "--storage-driver", "vfs", "--bridge", "none",
      "--iptables=false", "--ip6tables=false", "--ip-forward=false"
    ], { stdio: ["ignore", log, log] })
    closeSync(log)
    let ended = false
    child.once("exit", () => { ended = true })
    const daemon = new Dockerd(at("socket"), child)
    for (const end = Date.now() + 20_000 * patience; !daemon.answers;) {
      if (ended || Date.now() > end) {
        await daemon.stop()
        throw new Error(`dockerd ${ended ? "has ended" : "does not answer"}: ${readFileSync(at("log"), "utf8")}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    return daemon
  }

  private get answers(): boolean {
    return spawnSync("docker", ["-H", `unix://${this.socket}`, "version"]).status === 0
  }

  /** What docker's client says; it must succeed. */
  docker(...words: ReadonlyArray<string>): string {
    const { error, status, stderr, stdout } = spawnSync("docker", ["-H", `unix://${this.socket}`, ...words], {
      encoding: "utf8", maxBuffer: 1 << 26
    })
    if (status !== 0) throw new Error(`docker ${words.join(" ")}: ${error?.message ?? stderr}`)
    return stdout
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const ended = new Promise((resolve) => this.child.once("exit", resolve))
    // The first process of its namespace, so that all others go with it, and unshare waits for it and leaves no zombie
    const [first = ""] = readFileSync(`/proc/${this.child.pid}/task/${this.child.pid}/children`, "utf8").trim().split(" ")
    process.kill(first === "" ? this.child.pid! : Number(first), "SIGKILL")
    await ended
  }
}
