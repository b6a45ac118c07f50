/** (f) An image comes: loaded from an archive, pulled from a registry on loopback, and unpacked. */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { type BenchImage, compressions, makeBenchImage, missing } from "../contestants/benchImage.ts"
import { imageTools } from "../contestants/imageTools.ts"
import { measureSteps, type Step } from "../contestants/Steps.ts"
import type { Part } from "../Part.ts"
import type { Workspace } from "../Workspace.ts"

const stepsOf = (workspace: Workspace, image: BenchImage): ReadonlyArray<Step> => {
  const { megabytes } = image
  const place = (name: string) => join(workspace.directory, name)
  const remove = (path: string) => ["rm", "-rf", path]
  const engines = imageTools(workspace).flatMap(({ load, name, peer, pull, forgetImages }) =>
    compressions.flatMap((compression): ReadonlyArray<Step> => [
      { name: `${name} pull, ${compression}`, peer, commands: [pull(image.remote(compression))], after: [forgetImages], megabytes },
      { name: `${name} load, ${compression}`, peer, commands: [load(image.archive(compression))], after: [forgetImages], megabytes }
    ]))
  // umoci of Debian 12 reads no zstd
  const copy = [
    "skopeo", "--insecure-policy", "copy", "-q", "--src-tls-verify=false", `docker://${image.remote("gzip")}`, `oci:${place("copied")}:x`
  ]
  const unpack = ["umoci", "unpack", "--image", `${place("copied")}:x`, place("bundle")]
  return [
    ...engines,
    {
      name: "skopeo copy and umoci unpack, gzip", peer: false, commands: [copy, unpack],
      after: [remove(place("copied")), remove(place("bundle"))], megabytes
    },
    {
      name: "tar -x", peer: false, before: [["mkdir", place("plain")]], commands: [["tar", "-C", place("plain"), "-xpf", image.tar]],
      after: [remove(place("plain"))], megabytes
    },
    {
      name: "cp -a", peer: false, commands: [["cp", "-a", image.rootfs, place("plain")]], after: [remove(place("plain"))], megabytes
    }
  ]
}

/** At least one and a half times as fast. */
const aim = 0.667

export const imagesIn: Part = {
  key: "f",
  title: "an image is pulled from loopback or loaded, and unpacked",
  repetitions: 3,
  measure: async (workspace, repetitions) => {
    if (missing !== undefined) throw new Error(missing)
    const image = await makeBenchImage(workspace)
    const { notes, samples } = await measureSteps(workspace, stepsOf(workspace, image), repetitions)
    const pulls = compressions.map((compression) => ({ of: `fx-engine pull, ${compression}`, compression }))
    return {
      unit: "ms", samples,
      comparisons: [
        ...pulls.flatMap(({ compression, of }) => ["podman", "docker"].map((peer) => ({ of, to: `${peer} pull, ${compression}`, aim }))),
        { of: "fx-engine pull, gzip", to: "skopeo copy and umoci unpack, gzip", aim },
        ...compressions.flatMap((compression) => ["podman", "docker"].map((peer) => ({
          of: `fx-engine load, ${compression}`, to: `${peer} load, ${compression}`
        }))),
        ...pulls.flatMap(({ of }) => ["tar -x", "cp -a"].map((to) => ({ of, to })))
      ],
      notes: [
        `the image: ${image.origin}, ${image.files} files, one layer of ${image.megabytes.toFixed(0)} MB; rates are of bytes uncompressed`,
        ...notes, ...(spawnSync("umoci", ["--version"]).status === 0 ? [] : ["without umoci"])
      ]
    }
  }
}
