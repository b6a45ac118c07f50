/**
 * Modules that are loaded at their first use, so that a command which needs them not does not wait for them. Loading takes
 * real time, of which a simulation knows nothing: it loads all of them before it begins.
 */
import * as Effect from "effect/Effect"

const loaders: Array<() => Promise<unknown>> = []

/** To be made where a module is evaluated, not in a program: `const later = late(() => import("./later.ts"))`. */
export const late = <Module>(load: () => Promise<Module>): Effect.Effect<Module> => {
  let loaded: Module | undefined
  const once = async () => loaded ??= await load()
  loaders.push(once)
  return Effect.suspend(() => loaded === undefined ? Effect.promise(once) : Effect.succeed(loaded))
}

/** Loads what has not been loaded yet, and what that brings. */
export const loadAll = async (): Promise<void> => {
  for (let at = 0; at < loaders.length; at++) await loaders[at]?.()
}
