/** `import`: a tar archive becomes an image of one layer. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { applyChanges } from "../../domain/image/applyChanges.ts"
import { noImageDefaults } from "../../domain/image/Defaults.ts"
import type { RegistryError } from "../../domain/registry/RegistryError.ts"
import { Images } from "../../programs/Images.ts"
import { Registries } from "../../programs/Registries.ts"
import { list, text } from "../argv/Flag.ts"
import { printLine } from "../terminal/print.ts"
import { progressDisplay } from "../terminal/progressDisplay.ts"
import type { Surroundings } from "../terminal/Surroundings.ts"
import { Terminal } from "../terminal/Terminal.ts"
import { command } from "./Command.ts"
import type { CommandFailure } from "./CommandFailure.ts"
import { readArchive } from "./readArchive.ts"
import { readName } from "./transfer.ts"
import { platformFlag, wantedPlatform } from "./wantedPlatform.ts"

const isUrl = (source: string): boolean => /^https?:\/\//.test(source)

type Source = Stream.Stream<Uint8Array, CommandFailure | RegistryError>

const sourceOf = (source: string): Effect.Effect<Source, never, Registries | Surroundings | Terminal> =>
  Effect.gen(function*() {
    const registries = yield* Registries
    const terminal = yield* Terminal
    if (source === "-") return terminal.input
    return isUrl(source) ? registries.download(source) : yield* readArchive(source)
  })

export const importImage = command({
  forms: ["[OPTIONS] file|URL|- [REPOSITORY[:TAG]]"],
  summary: "Import the contents from a tarball to create a filesystem image",
  flags: {
    change: list("Apply Dockerfile instruction to the created image", { short: "c" }),
    message: text("Set commit message for imported image", { short: "m" }),
    ...platformFlag("Set platform if server is multi-platform capable")
  },
  arguments: { least: 1 },
  interspersed: true,
  engine: "changes",
  run: ({ arguments: [source = "", reference = ""], values }) => Effect.gen(function*() {
    const images = yield* Images
    if (reference !== "") yield* readName(reference)
    const defaults = yield* Effect.fromResult(applyChanges(noImageDefaults, values.change))
    const platform = yield* wantedPlatform(values.platform)
    const data = yield* sourceOf(source)
    const id = yield* Effect.scoped(Effect.gen(function*() {
      if (isUrl(source)) yield* (yield* progressDisplay("stderr"))({ status: `Downloading from ${source}` })
      const image = yield* images.import({ source, reference, data, defaults, message: values.message, platform })
      return image.id
    }))
    yield* printLine(id)
    return 0
  })
})
