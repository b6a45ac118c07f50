/**
 * All commands by the words that call them. Their code is loaded when they are called: what stands here is
 * what the help needs.
 */
import type { Command } from "./Command.ts"

export interface Entry {
  readonly summary: string
  /** All paths by which it is known, the shortest last, as docker lists them. */
  readonly aliases: ReadonlyArray<string>
  readonly hidden?: boolean
  readonly load: () => Promise<Command<any>>
}

export interface Group {
  readonly summary: string
  readonly commands: { readonly [name: string]: Entry }
}

const both = (name: string, ...more: ReadonlyArray<string>): ReadonlyArray<string> =>
  [`container ${name}`, ...more.map((other) => `container ${other}`), name]

const attach: Entry = {
  summary: "Attach local standard input, output, and error streams to a running container",
  aliases: both("attach"), load: async () => (await import("./attach.ts")).attach
}
const commit: Entry = {
  summary: "Create a new image from a container's changes",
  aliases: both("commit"), load: async () => (await import("./commit.ts")).commit
}
const containerPrune: Entry = {
  summary: "Remove all stopped containers",
  aliases: [], load: async () => (await import("./containerPrune.ts")).containerPrune
}
const cp: Entry = {
  summary: "Copy files/folders between a container and the local filesystem",
  aliases: both("cp"), load: async () => (await import("./cp.ts")).cp
}
const create: Entry = {
  summary: "Create a new container",
  aliases: both("create"), load: async () => (await import("./create.ts")).create
}
const diff: Entry = {
  summary: "Inspect changes to files or directories on a container's filesystem",
  aliases: both("diff"), load: async () => (await import("./diff.ts")).diff
}
const exec: Entry = {
  summary: "Execute a command in a running container",
  aliases: both("exec"), load: async () => (await import("./exec.ts")).exec
}
const exportContainer: Entry = {
  summary: "Export a container's filesystem as a tar archive",
  aliases: both("export"), load: async () => (await import("./export.ts")).exportContainer
}
const history: Entry = {
  summary: "Show the history of an image",
  aliases: ["image history", "history"], load: async () => (await import("./history.ts")).history
}
const importImage: Entry = {
  summary: "Import the contents from a tarball to create a filesystem image",
  aliases: ["image import", "import"], load: async () => (await import("./import.ts")).importImage
}
const images: Entry = {
  summary: "List images",
  aliases: ["image ls", "image list", "images"], load: async () => (await import("./images.ts")).images
}
const imagePrune: Entry = {
  summary: "Remove unused images",
  aliases: [], load: async () => (await import("./imagePrune.ts")).imagePrune
}
const info: Entry = {
  summary: "Display system-wide information",
  aliases: ["system info", "info"], load: async () => (await import("./info.ts")).info
}
const inspect: Entry = {
  summary: "Return low-level information on objects",
  aliases: [], load: async () => (await import("./inspect.ts")).inspect
}
const inspectContainer: Entry = {
  summary: "Display detailed information on one or more containers",
  aliases: [], load: async () => (await import("./inspect.ts")).inspectContainer
}
const inspectImage: Entry = {
  summary: "Display detailed information on one or more images",
  aliases: [], load: async () => (await import("./inspect.ts")).inspectImage
}
const kill: Entry = {
  summary: "Kill one or more running containers",
  aliases: both("kill"), load: async () => (await import("./kill.ts")).kill
}
const load: Entry = {
  summary: "Load an image from a tar archive or STDIN",
  aliases: ["image load", "load"], load: async () => (await import("./load.ts")).load
}
const login: Entry = {
  summary: "Authenticate to a registry",
  aliases: [], load: async () => (await import("./login.ts")).login
}
const logout: Entry = {
  summary: "Log out from a registry",
  aliases: [], load: async () => (await import("./logout.ts")).logout
}
const logs: Entry = {
  summary: "Fetch the logs of a container",
  aliases: both("logs"), load: async () => (await import("./logs.ts")).logs
}
const pause: Entry = {
  summary: "Pause all processes within one or more containers",
  aliases: both("pause"), load: async () => (await import("./pause.ts")).pause
}
const ps: Entry = {
  summary: "List containers",
  aliases: ["container ls", "container list", "container ps", "ps"], load: async () => (await import("./ps.ts")).ps
}
const pull: Entry = {
  summary: "Download an image from a registry",
  aliases: ["image pull", "pull"], load: async () => (await import("./pull.ts")).pull
}
const push: Entry = {
  summary: "Upload an image to a registry",
  aliases: ["image push", "push"], load: async () => (await import("./push.ts")).push
}
const rename: Entry = {
  summary: "Rename a container",
  aliases: both("rename"), load: async () => (await import("./rename.ts")).rename
}
const replay: Entry = {
  summary: "Perform a recorded trace on the simulated kernel and say where it differs",
  aliases: [], load: async () => (await import("./replay.ts")).replay
}
const restart: Entry = {
  summary: "Restart one or more containers",
  aliases: both("restart"), load: async () => (await import("./restart.ts")).restart
}
const rm: Entry = {
  summary: "Remove one or more containers",
  aliases: both("rm", "remove"), load: async () => (await import("./rm.ts")).rm
}
const rmi: Entry = {
  summary: "Remove one or more images",
  aliases: ["image rm", "image remove", "rmi"], load: async () => (await import("./rmi.ts")).rmi
}
const run: Entry = {
  summary: "Create and run a new container from an image",
  aliases: both("run"), load: async () => (await import("./run.ts")).run
}
const save: Entry = {
  summary: "Save one or more images to a tar archive (streamed to STDOUT by default)",
  aliases: ["image save", "save"], load: async () => (await import("./save.ts")).save
}
const search: Entry = {
  summary: "Search Docker Hub for images",
  aliases: [], load: async () => (await import("./search.ts")).search
}
const start: Entry = {
  summary: "Start one or more stopped containers",
  aliases: both("start"), load: async () => (await import("./start.ts")).start
}
const stats: Entry = {
  summary: "Display a live stream of container(s) resource usage statistics",
  aliases: both("stats"), load: async () => (await import("./stats.ts")).stats
}
const stop: Entry = {
  summary: "Stop one or more running containers",
  aliases: both("stop"), load: async () => (await import("./stop.ts")).stop
}
const tag: Entry = {
  summary: "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
  aliases: ["image tag", "tag"], load: async () => (await import("./tag.ts")).tag
}
const top: Entry = {
  summary: "Display the running processes of a container",
  aliases: both("top"), load: async () => (await import("./top.ts")).top
}
const unpause: Entry = {
  summary: "Unpause all processes within one or more containers",
  aliases: both("unpause"), load: async () => (await import("./unpause.ts")).unpause
}
const update: Entry = {
  summary: "Update configuration of one or more containers",
  aliases: both("update"), load: async () => (await import("./update.ts")).update
}
const version: Entry = {
  summary: "Show the version information",
  aliases: [], load: async () => (await import("./version.ts")).version
}
const wait: Entry = {
  summary: "Block until one or more containers stop, then print their exit codes",
  aliases: both("wait"), load: async () => (await import("./wait.ts")).wait
}

/** Commands that the help shows first. */
export const common: { readonly [name: string]: Entry } = {
  run, exec, ps, pull, push, images, login, logout, search, version, info
}

export const others: { readonly [name: string]: Entry } = {
  attach, commit, cp, create, diff, export: exportContainer, history, import: importImage, inspect, kill, load, logs, pause,
  rename, replay, restart, rm, rmi, save, start, stats, stop, tag, top, unpause, update, wait
}

export const groups: { readonly [name: string]: Group } = {
  container: {
    summary: "Manage containers",
    commands: {
      attach, commit, cp, create, diff, exec, export: exportContainer, inspect: inspectContainer, kill, logs, ls: ps, pause,
      prune: containerPrune, rename, restart, rm, run, start, stats, stop, top, unpause, update, wait
    }
  },
  image: {
    summary: "Manage images",
    commands: {
      history, import: importImage, inspect: inspectImage, load, ls: images, prune: imagePrune, pull, push, rm: rmi, save, tag
    }
  },
  system: {
    summary: "Manage the engine",
    commands: {
      check: {
        summary: "Show where the records and the kernel disagree",
        aliases: [], load: async () => (await import("./systemCheck.ts")).systemCheck
      },
      df: {
        summary: "Show disk usage",
        aliases: [], load: async () => (await import("./systemDf.ts")).systemDf
      },
      info,
      prune: {
        summary: "Remove unused data",
        aliases: [], load: async () => (await import("./systemPrune.ts")).systemPrune
      },
      reap: {
        summary: "Remove an auto-removed container after its end", hidden: true,
        aliases: [], load: async () => (await import("./systemReap.ts")).systemReap
      },
      recover: {
        summary: "Put right what earlier engines left half done",
        aliases: [], load: async () => (await import("./systemRecover.ts")).systemRecover
      }
    }
  }
}

/** Second names within a group. */
export const secondNames: { readonly [path: string]: string } = {
  "container list": "container ls", "container ps": "container ls", "container remove": "container rm",
  "image list": "image ls", "image remove": "image rm"
}
