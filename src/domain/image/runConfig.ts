/**
 * What an image says of how it is run: between the document's form (RunConfig), the engine's own (ImageDefaults), and the
 * container's configuration that it completes (moby, runconfig merge in daemon/commit.go).
 */
import type { ContainerConfig, Healthcheck } from "../container/ContainerConfig.ts"
import { mergeEnvironment } from "../container/environment.ts"
import { cleanPath } from "../text/PosixPath.ts"
import { compareBytes } from "../text/Utf8.ts"
import type { RunConfig } from "./ImageConfig.ts"
import type { ImageDefaults } from "./Defaults.ts"

type Health = typeof Healthcheck.Type

const words = (command: ReadonlyArray<string> | string | undefined): ReadonlyArray<string> =>
  typeof command === "string" ? [command] : command ?? []

/** A property, unless there is nothing to say. */
const unlessEmpty = <Key extends string, Value extends object | string>(
  key: Key, value: Value | undefined
): { readonly [name in Key]?: Value } => {
  const empty = value === undefined || (typeof value === "string" ? value === "" : Object.keys(value).length === 0)
  return (empty ? {} : { [key]: value }) as { readonly [name in Key]?: Value }
}

const sorted = (names: Iterable<string>): ReadonlyArray<string> => [...new Set(names)].sort(compareBytes)

const healthFields = [
  ["Interval", "interval"], ["Timeout", "timeout"], ["StartPeriod", "startPeriod"], ["StartInterval", "startInterval"],
  ["Retries", "retries"]
] as const

const healthOf = (given: RunConfig["Healthcheck"]): Health | undefined => {
  if (given === undefined) return undefined
  const set = healthFields.flatMap(([from, to]) => given[from] ? [[to, given[from]] as const] : [])
  const test = given.Test ?? []
  return test.length === 0 && set.length === 0 ? undefined : { test, ...Object.fromEntries(set) }
}

/** `config` of an image's config as the engine keeps it. Nothing is judged: a strange user is refused when it is used. */
export const defaultsOf = (config: RunConfig = {}): ImageDefaults => ({
  entrypoint: words(config.Entrypoint),
  command: words(config.Cmd),
  env: config.Env ?? [],
  workingDirectory: config.WorkingDir ?? "",
  user: config.User ?? "",
  ...unlessEmpty("volumes", sorted(Object.keys(config.Volumes ?? {}))),
  ...unlessEmpty("labels", config.Labels),
  ...unlessEmpty("stopSignal", config.StopSignal),
  ...unlessEmpty("healthcheck", healthOf(config.Healthcheck)),
  ...unlessEmpty("exposedPorts", sorted(Object.keys(config.ExposedPorts ?? {}))),
  ...unlessEmpty("shell", words(config.Shell)),
  ...unlessEmpty("onBuild", config.OnBuild)
})

const nameSet = (names: ReadonlyArray<string> | undefined): { readonly [name: string]: object } =>
  Object.fromEntries((names ?? []).map((name) => [name, {}]))

const describeHealth = (health: Health | undefined): RunConfig["Healthcheck"] => health === undefined ? undefined : {
  ...unlessEmpty("Test", health.test),
  ...Object.fromEntries(healthFields.flatMap(([to, from]) => health[from] ? [[to, health[from]]] : []))
}

/** The document's form; what is empty is left out, as Go leaves it out. */
export const runConfigOf = (defaults: ImageDefaults): RunConfig => ({
  ...unlessEmpty("User", defaults.user),
  ...unlessEmpty("ExposedPorts", nameSet(defaults.exposedPorts)),
  ...unlessEmpty("Env", defaults.env),
  ...unlessEmpty("Entrypoint", defaults.entrypoint),
  ...unlessEmpty("Cmd", defaults.command),
  ...unlessEmpty("Volumes", nameSet(defaults.volumes)),
  ...unlessEmpty("WorkingDir", defaults.workingDirectory),
  ...unlessEmpty("Labels", defaults.labels),
  ...unlessEmpty("StopSignal", defaults.stopSignal),
  ...unlessEmpty("Healthcheck", describeHealth(defaults.healthcheck)),
  ...unlessEmpty("Shell", defaults.shell),
  ...unlessEmpty("OnBuild", defaults.onBuild)
})

/** Every field that the user left at nothing is the image's; a test of `NONE` switches the image's off. */
const mergeHealth = (user: Health | undefined, image: Health | undefined): Health | undefined =>
  user === undefined || image === undefined
    ? user ?? image
    : { ...image, ...user, test: user.test.length === 0 ? image.test : user.test }

/**
 * The configuration with the image's labels, stop signal and health check put in where the user said nothing. Entrypoint,
 * command, environment, directory and user are completed when the container is compiled.
 */
export const withImageDefaults = (config: ContainerConfig, image: ImageDefaults): ContainerConfig => ({
  ...config,
  labels: { ...image.labels, ...config.labels },
  stopSignal: config.stopSignal || (image.stopSignal ?? ""),
  ...unlessEmpty("healthcheck", mergeHealth(config.healthcheck, image.healthcheck))
})

/** The volumes of the image that nothing of the user's is mounted on, in order: they need directories of their own. */
export const unmountedVolumes = (config: ContainerConfig, image: ImageDefaults): ReadonlyArray<string> => {
  const mounted = new Set(config.mounts.map(({ target }) => cleanPath(target)))
  return sorted((image.volumes ?? []).map((path) => cleanPath(path.startsWith("/") ? path : `/${path}`)))
    .filter((path) => path !== "/" && !mounted.has(path))
}

/** What an image made of a container says: the container's configuration over its image's. Triggers are not inherited. */
export const committedDefaults = (config: ContainerConfig, image: ImageDefaults): ImageDefaults => {
  const { healthcheck = undefined, labels, stopSignal } = withImageDefaults(config, image)
  return {
    entrypoint: config.entrypoint ?? image.entrypoint,
    command: config.command.length > 0 || config.entrypoint !== undefined ? config.command : image.command,
    env: mergeEnvironment(image.env, config.env),
    workingDirectory: config.workingDirectory || image.workingDirectory,
    user: config.user || image.user,
    ...unlessEmpty("volumes", image.volumes),
    ...unlessEmpty("labels", labels),
    ...unlessEmpty("stopSignal", stopSignal),
    ...unlessEmpty("healthcheck", healthcheck),
    ...unlessEmpty("exposedPorts", image.exposedPorts),
    ...unlessEmpty("shell", image.shell)
  }
}
