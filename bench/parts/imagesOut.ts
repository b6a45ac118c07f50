/** (g) Images are made of containers, saved and pushed. */
import { join } from "node:path"
import { type BenchImage, makeBenchImage, missing } from "../contestants/benchImage.ts"
import { type ImageTool, imageTools } from "../contestants/imageTools.ts"
import { measureSteps, type Step } from "../contestants/Steps.ts"
import type { Part } from "../Part.ts"
import type { Workspace } from "../Workspace.ts"

/** Files that a container has made when it is committed. */
const counts = [1, 10_000]

const script = (count: number) => `mkdir /made; i=0; while [ $i -lt ${count} ]; do echo "file $i" > /made/$i; i=$((i+1)); done`

const words = (count: number) => count === 1 ? "1 file" : `${count} files`

const prepare = async (workspace: Workspace, image: BenchImage, tool: ImageTool): Promise<void> => {
  const { peer } = tool
  await workspace.time(tool.pull(image.remote("gzip")), { peer })
  for (const count of counts) await workspace.time(tool.run(`made-${count}`, image.remote("gzip"), script(count)), { peer })
}

const stepsOf = (workspace: Workspace, image: BenchImage, tool: ImageTool): ReadonlyArray<Step> => {
  const { commit, name, peer, push, save, tag } = tool
  const { megabytes } = image
  const archive = join(workspace.directory, `saved-${name}.tar`)
  const second = `${image.host}/bench/pushed-${name}:1`
  return [
    ...counts.map((count): Step => ({
      name: `${name} commit, ${words(count)}`, peer, commands: [commit(`made-${count}`, `${image.host}/bench/committed:${count}`)]
    })),
    { name: `${name} save`, peer, commands: [save(image.remote("gzip"), archive)], after: [["rm", "-f", archive]], megabytes },
    {
      name: `${name} push of what is there`, peer, before: [tag(image.remote("gzip"), second)], commands: [push(second)]
    },
    // A layer that the registry has not seen, of the container with many files
    { name: `${name} push of the commit`, peer, commands: [push(`${image.host}/bench/committed:${counts[1]}`)] }
  ]
}

export const imagesOut: Part = {
  key: "g",
  title: "images are committed, saved and pushed to loopback",
  repetitions: 3,
  measure: async (workspace, repetitions) => {
    if (missing !== undefined) throw new Error(missing)
    const image = await makeBenchImage(workspace)
    const tools = imageTools(workspace)
    for (const tool of tools) await prepare(workspace, image, tool)
    const { notes, samples } = await measureSteps(workspace, tools.flatMap((tool) => stepsOf(workspace, image, tool)), repetitions)
    for (const { peer, removeContainer } of tools) {
      for (const count of counts) await workspace.time(removeContainer(`made-${count}`), { peer })
    }
    const kinds = samples.filter(({ name }) => name.startsWith("fx-engine")).map(({ name }) => name.slice("fx-engine".length))
    return {
      unit: "ms", samples,
      comparisons: kinds.flatMap((kind) => ["podman", "docker"].map((peer) => ({ of: `fx-engine${kind}`, to: `${peer}${kind}` }))),
      notes: [`the image: ${image.origin}, ${image.files} files, one layer of ${image.megabytes.toFixed(0)} MB`, ...notes]
    }
  }
}
