/**
 * What the handlers of one interpreter share: the addon, loaded at its first use, the open things behind
 * handles, and where the engine's files are.
 */
import { type Addon, builtFile, loadAddon } from "./addon.ts"
import type { LayerLimits } from "../../domain/layer/LayerLimits.ts"
import { Refusal } from "./attempt.ts"

export interface LinuxOptions {
  /** Durable directory of the engine: the records are in `engine.db` there. */
  readonly root: string
  /** Volatile directory of the engine. */
  readonly execRoot: string
  /** The static supervisor; `native/build/fx-init` by default. */
  readonly init?: string
  /** The addon; `native/build/fx.node` by default. */
  readonly addon?: string
  /**
   * The process ends with this interpreter and its end closes the records. SQLite's own close, when no other process
   * has them open, brings the log into the database and waits for the disk, and the next process waits again to
   * begin a new log.
   */
  readonly endsWithProcess?: boolean
  /** What a layer may ask for at most; `defaultLayerLimits` by default. */
  readonly layerLimits?: LayerLimits
}

/** Something that a handle stands for. */
export interface Open {
  /** Lets go of all it holds in the kernel, at once; may be called again. */
  close(): void
}

export class Machine {
  readonly options: LinuxOptions
  private readonly opened = new Map<number, Open>()
  /** Things without a handle that end with the interpreter. */
  private readonly owned: Array<Open> = []
  private next = 1
  private loaded: Addon | undefined

  constructor(options: LinuxOptions) {
    this.options = options
  }

  /** Throws when it can't be loaded: to be called inside `attempt`. */
  get addon(): Addon {
    if (this.loaded !== undefined) return this.loaded
    const path = this.options.addon ?? builtFile("fx.node")
    try {
      this.loaded = loadAddon(path)
      return this.loaded
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new Refusal("dlopen", "ELIBBAD", `${reason}: build it with npm run build:native`)
    }
  }

  own(thing: Open): void {
    this.owned.push(thing)
  }

  /** A number for the thing, never used again in this interpreter. */
  open(thing: Open): number {
    const handle = this.next++
    this.opened.set(handle, thing)
    return handle
  }

  /** The thing behind a handle; throws EBADF when it is closed or of another kind. */
  get<A extends Open>(handle: number, kind: abstract new(...rest: never) => A): A {
    const thing = this.opened.get(handle)
    if (thing instanceof kind) return thing
    throw new Refusal("handle", "EBADF", `handle ${handle} is not an open ${kind.name}`)
  }

  isOpen(handle: number): boolean {
    return this.opened.has(handle)
  }

  /** Closes a handle; one that is closed already is no error. */
  close<A extends Open>(handle: number, kind: abstract new(...rest: never) => A): void {
    if (!this.opened.has(handle)) return
    const thing = this.get(handle, kind)
    this.opened.delete(handle)
    thing.close()
  }

  closeAll(): void {
    for (const thing of this.opened.values()) thing.close()
    for (const thing of this.owned) thing.close()
    this.opened.clear()
    this.owned.length = 0
  }
}
