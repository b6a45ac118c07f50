/** Paths as text: no file is looked at, so `..` goes up by name even past symbolic links (Go's path.Clean). */

export const isAbsolute = (path: string): boolean => path.startsWith("/")

/** Shortest equal path: no `.`, no empty parts, `..` resolved by name; `.` for nothing. */
export const cleanPath = (path: string): string => {
  const absolute = isAbsolute(path)
  const parts: Array<string> = []
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue
    if (part !== "..") parts.push(part)
    else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop()
    else if (!absolute) parts.push(part)
  }
  const joined = parts.join("/")
  return absolute ? `/${joined}` : joined === "" ? "." : joined
}

/** `path` from the directory `from`, cleaned. */
export const resolvePath = (from: string, path: string): string =>
  cleanPath(isAbsolute(path) ? path : `${from}/${path}`)
