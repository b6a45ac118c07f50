/** The environment of a container's process: Docker's defaults, then the image's, then the user's. */

/** moby oci/defaults.go, DefaultPathEnv for Unix. */
export const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

const nameOf = (line: string): string => {
  const equals = line.indexOf("=")
  return equals < 0 ? line : line.slice(0, equals)
}

/** `overrides` replace lines of the same name in place; a line without `=` removes the variable. */
export const mergeEnvironment = (
  base: ReadonlyArray<string>, overrides: ReadonlyArray<string>
): ReadonlyArray<string> => {
  const merged = new Map(base.map((line) => [nameOf(line), line]))
  for (const line of overrides) {
    if (line.includes("=")) merged.set(nameOf(line), line)
    else merged.delete(line)
  }
  return [...merged.values()]
}

/** `hostname` "" when the container has the host's UTS namespace and no name of its own. */
export const environment = (options: {
  readonly hostname: string
  readonly tty: boolean
  readonly home: string
  readonly image: ReadonlyArray<string>
  readonly user: ReadonlyArray<string>
}): ReadonlyArray<string> => {
  const defaults = [
    `PATH=${defaultPath}`,
    ...(options.hostname === "" ? [] : [`HOSTNAME=${options.hostname}`]),
    ...(options.tty ? ["TERM=xterm"] : [])
  ]
  const merged = mergeEnvironment(mergeEnvironment(defaults, options.image), options.user)
  return merged.some((line) => line.startsWith("HOME=")) ? merged : [...merged, `HOME=${options.home}`]
}
