/** `import`: a tar archive becomes an image of one layer. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import { Engine } from "../../programs/Engine.ts"
import { list, text } from "../argv/Flag.ts"
import { printLine } from "../terminal/print.ts"
import { Surroundings } from "../terminal/Surroundings.ts"
import { Terminal } from "../terminal/Terminal.ts"
import { command } from "./Command.ts"
import { refusal } from "./CommandFailure.ts"
import { imageChanges } from "./imageChanges.ts"

const isUrl = (source: string): boolean => /^https?:\/\//.test(source)

const unnamed = refusal("an image needs a name: write import FILE NAME[:TAG]")

/** A file that cannot be read is a failure of the import. */
const fileStream = (surroundings: Surroundings["Service"], path: string): Stream.Stream<Uint8Array, ContainerError> =>
  Stream.mapError(surroundings.streamFile(path), (error) =>
    new ContainerError({ operation: "import", object: path, kind: "failed", cause: error.message }))

export const importImage = command({
  forms: ["[OPTIONS] file|- REPOSITORY[:TAG]"],
  summary: "Import the contents from a tarball to create a filesystem image",
  flags: {
    change: list("Apply Dockerfile instruction to the created image", { short: "c" }),
    message: text("Set commit message for imported image", { short: "m" }),
    platform: text("Set platform if server is multi-platform capable")
  },
  arguments: { least: 1, most: 2 },
  interspersed: true,
  engine: "changes",
  run: ({ arguments: [source = "", reference], values }) => Effect.gen(function*() {
    const surroundings = yield* Surroundings
    const terminal = yield* Terminal
    if (isUrl(source)) {
      return yield* refusal("images cannot be imported from the network: download the archive and import the file")
    }
    if (reference === undefined) return yield* unnamed
    const defaults = yield* Effect.fromResult(imageChanges(values.change))
    const data = source === "-" ? terminal.input : fileStream(surroundings, source)
    const image = yield* Engine.use((engine) => engine.importImage({ reference, data, defaults }))
    yield* printLine(image.id)
    return 0
  })
})
