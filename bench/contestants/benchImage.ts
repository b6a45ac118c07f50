/**
 * The image that is brought in and out: a Debian that debootstrap has made, when FX_DEBOOTSTRAP names its directory,
 * else busybox with ten thousand files of this machine. It lies in a registry on loopback and in archives.
 */
import { execFileSync } from "node:child_process"
import { cpSync, mkdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { DockerRegistry, unavailable as withoutRegistry } from "../../test/interpreters/linux/network/DockerRegistry.ts"
import { gnuTar } from "../../test/linux/image/gnuTar.ts"
import { copyHostFiles } from "../../test/linux/image/hostFiles.ts"
import { OciLayout } from "../../test/linux/image/OciLayout.ts"
import type { Workspace } from "../Workspace.ts"

export const compressions = ["gzip", "zstd"] as const
export type Compression = typeof compressions[number]

export interface BenchImage {
  /** What it was made of. */
  readonly origin: string
  readonly rootfs: string
  /** Of the layer's archive. */
  readonly megabytes: number
  readonly files: number
  /** The plain archive of its files. */
  readonly tar: string
  readonly layout: OciLayout
  readonly host: string
  /** Its name in the registry. */
  readonly remote: (compression: Compression) => string
  /** An image layout in an archive. */
  readonly archive: (compression: Compression) => string
}

/** Files from the machine when there is no Debian. */
const usualFiles = 10_000

export const missing: string | undefined = withoutRegistry

export const makeBenchImage = async (workspace: Workspace): Promise<BenchImage> => {
  const debian = process.env["FX_DEBOOTSTRAP"]
  const rootfs = debian ?? join(workspace.directory, "image-root")
  if (debian === undefined) {
    cpSync(workspace.rootfs, rootfs, { recursive: true, verbatimSymlinks: true })
    copyHostFiles(rootfs, usualFiles)
  }
  const bytes = gnuTar(rootfs)
  const tar = workspace.file("image.tar", bytes)
  const registry = await DockerRegistry.start()
  workspace.atEnd(() => registry.stop())
  const remote = (compression: Compression) => `${registry.host}/bench/${compression}:1`
  const archive = (compression: Compression) => join(workspace.directory, `${compression}.tar`)
  const layout = new OciLayout(join(workspace.directory, "layout"))
  for (const compression of compressions) {
    const descriptor = layout.putImage([{ tar: bytes, compression }])
    layout.name(descriptor, compression)
    const only = join(workspace.directory, `only-${compression}`)
    mkdirSync(only)
    for (const [from, to] of [
      [`oci:${layout.directory}:${compression}`, `docker://${remote(compression)}`],
      [`oci:${layout.directory}:${compression}`, `oci:${only}:${remote(compression)}`]
    ] as const) {
      execFileSync("skopeo", ["--insecure-policy", "copy", "-q", "--preserve-digests", "--dest-tls-verify=false", from, to])
    }
    new OciLayout(only).archive(archive(compression))
  }
  return {
    origin: debian === undefined ? "busybox and files of this machine" : "a Debian of debootstrap", rootfs, tar, layout, remote, archive,
    host: registry.host, megabytes: statSync(tar).size / 1e6,
    files: Number(execFileSync("sh", ["-c", `find "$1" | wc -l`, "sh", rootfs], { encoding: "utf8" }))
  }
}
