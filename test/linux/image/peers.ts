/** Other people's tools for images, with state of their own that goes with the test's directory. */
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { unavailable as withoutRoot } from "../RealEngine.ts"

const packages = {
  skopeo: "skopeo", umoci: "umoci", podman: "podman", tar: "tar", cc: "gcc", unshare: "util-linux", "docker-registry": "docker-registry",
  htpasswd: "apache2-utils", openssl: "openssl", docker: "docker.io", dockerd: "docker.io"
} as const

export type Tool = keyof typeof packages

const isInstalled = (tool: Tool): boolean =>
  (process.env["PATH"] ?? "").split(":").some((directory) => existsSync(join(directory, tool)))

/** Why tests that need these cannot run here, or undefined. */
export const withoutTools = (...tools: ReadonlyArray<Tool>): string | undefined => {
  const missing = [...new Set(tools.filter((tool) => !isInstalled(tool)).map((tool) => packages[tool]))]
  return withoutRoot ?? (missing.length === 0 ? undefined : `needs apt-get install ${missing.join(" ")}`)
}

export const titled = (title: string, reason: string | undefined): string =>
  reason === undefined ? title : `${title} [skipped: ${reason}]`

/** Fails with what the tool has said. */
export const use = (tool: Tool, ...words: ReadonlyArray<string>): string => {
  const { error, status, stderr, stdout } = spawnSync(tool, words, { encoding: "utf8", maxBuffer: 1 << 26 })
  if (status !== 0) throw new Error(`${tool} ${words.join(" ")}: ${error?.message ?? stderr}`)
  return stdout
}

/** Without a policy file, and without asking loopback for certificates. */
export const skopeo = {
  copy: (...words: ReadonlyArray<string>): void =>
    void use("skopeo", "--insecure-policy", "copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false", ...words),
  inspect: (name: string, ...words: ReadonlyArray<string>): string =>
    use("skopeo", "inspect", ...(name.startsWith("docker://") ? ["--tls-verify=false"] : []), ...words, name)
}

/** podman over a storage in a directory. */
export const podmanIn = (directory: string) => (...words: ReadonlyArray<string>): string =>
  use(
    "podman", "--root", join(directory, "root"), "--runroot", join(directory, "run"), "--tmpdir", join(directory, "tmp"),
    "--storage-driver", "overlay", "--cgroup-manager", "cgroupfs", "--events-backend", "none", ...words
  )

/** Unpacks an image of a layout; the directory of its root. */
export const umociUnpack = (layout: string, name: string, bundle: string): string => {
  use("umoci", "unpack", "--image", `${layout}:${name}`, bundle)
  return join(bundle, "rootfs")
}
