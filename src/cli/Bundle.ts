/**
 * Loads the chunks of the bundle with the byte code of an earlier run of the same command. Node's own compile cache
 * has only what V8 compiles before anything runs; most of a cold start is the compiling of what is called then.
 */
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs"
import { Script } from "node:vm"

interface Module {
  exports: unknown
}

type Wrapper = (
  exports: unknown, require: (id: string) => unknown, module: Module, filename: string, directory: string
) => void

interface Loaded {
  readonly module: Module
  readonly script: Script
  /** Name of what is kept for it: another one after it was built anew. */
  readonly cacheName: string
  /** Whether it was compiled as it was called, without anything kept. */
  readonly cold: boolean
}

const isRelative = /^\.\/([A-Za-z-]+\.cjs)$/

const readIfPresent = (path: string): Buffer | undefined => {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

export class Bundle {
  private readonly directory: string
  /** For Node and its options: code for others is refused by V8. */
  private readonly cache: string
  private readonly builtin: (id: string) => unknown
  private readonly chunks = new Map<string, Loaded>()
  private kept: string | undefined

  constructor(directory: string, builtin: (id: string) => unknown) {
    this.directory = directory
    this.builtin = builtin
    const options = [...process.execArgv, process.env["NODE_OPTIONS"] ?? ""].join(" ").replaceAll(/[^\w=.-]+/g, "_")
    this.cache = `${directory}/.cache/${process.version}-${process.arch}${options.slice(0, 100)}`
  }

  /** Looks for code kept under one of these names, the best first. */
  lookFor(names: ReadonlyArray<string>): void {
    this.kept = names.find((name) => {
      try {
        return statSync(`${this.cache}/${name}`).isDirectory()
      } catch {
        return false
      }
    })
  }

  load(name: string): unknown {
    const known = this.chunks.get(name)
    if (known !== undefined) return known.module.exports
    const filename = `${this.directory}/${name}`
    const { mtimeMs, size } = statSync(filename)
    const cacheName = `${name}-${size.toString(36)}-${mtimeMs.toString(36)}`
    const cachedData = this.kept === undefined ? undefined : readIfPresent(`${this.cache}/${this.kept}/${cacheName}`)
    // The bundle is ASCII
    const source = readFileSync(filename, "latin1")
    const script = new Script(`(function(exports,require,module,__filename,__dirname){${source}\n})`, {
      filename, ...(cachedData === undefined ? {} : { cachedData })
    })
    const module: Module = { exports: {} }
    this.chunks.set(name, { module, script, cacheName, cold: cachedData === undefined || script.cachedDataRejected === true })
    const run = script.runInThisContext() as Wrapper
    run(module.exports, (id) => this.require(id), module, filename, this.directory)
    return module.exports
  }

  /** Keeps under `name` what has been compiled by now. Where nothing can be written nothing is kept. */
  keep(name: string): void {
    if (![...this.chunks.values()].some(({ cold }) => cold)) return
    const place = `${this.cache}/${name}`
    try {
      mkdirSync(place, { recursive: true })
      for (const { cacheName, script } of this.chunks.values()) {
        const draft = `${place}/${process.pid}.draft`
        writeFileSync(draft, script.createCachedData())
        renameSync(draft, `${place}/${cacheName}`)
      }
    } catch {
      // As said
    }
  }

  private require(id: string): unknown {
    const chunk = isRelative.exec(id)?.[1]
    return chunk === undefined ? this.builtin(id) : this.load(chunk)
  }
}
