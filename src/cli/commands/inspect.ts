/** `inspect`: all there is to know of containers and images, as JSON or through a template. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { ImageRecord } from "../../domain/image/ImageRecord.ts"
import { normalizeReference } from "../../domain/image/ImageRecord.ts"
import { formatInspected } from "../../domain/text/formatInspected.ts"
import type { GoMap } from "../../domain/text/goTemplate/GoValue.ts"
import { Engine, type EngineError } from "../../programs/Engine.ts"
import { boolean, text } from "../argv/Flag.ts"
import { formatHelp } from "../format/formatHelp.ts"
import { goArchitecture, program } from "../program.ts"
import { complain, print } from "../terminal/print.ts"
import { command } from "./Command.ts"
import { type CommandError, describe, refusal } from "./CommandFailure.ts"

const flags = {
  format: text(formatHelp.object, { short: "f" }),
  size: boolean("Display total file sizes if the type is container", { short: "s" }),
  type: text("Only inspect objects of the given type")
}

const types = ["container", "image"]

/** Fields of the views whose keys users choose. */
const mapKeys: ReadonlySet<string> = new Set([
  "Labels", "Annotations", "Sysctls", "Tmpfs", "Networks", "Ports", "PortBindings", "Volumes", "Data"
])

const imageView = (image: ImageRecord): GoMap => ({
  Id: image.id,
  RepoTags: image.reference === "" ? [] : [image.reference],
  RepoDigests: [],
  Created: image.createdAt,
  Config: {
    User: image.config.user,
    Env: image.config.env,
    Cmd: image.config.command.length === 0 ? null : image.config.command,
    WorkingDir: image.config.workingDirectory,
    Entrypoint: image.config.entrypoint.length === 0 ? null : image.config.entrypoint,
    Labels: null
  },
  Architecture: goArchitecture(),
  Os: "linux",
  Size: image.size,
  GraphDriver: { Name: "overlay2", Data: { UpperDir: image.layers[0] } },
  RootFS: { Type: "layers", Layers: image.layers }
})

const isImage = (image: ImageRecord, wanted: string): boolean =>
  image.id === wanted || (wanted.length >= 4 && image.id.replace("sha256:", "").startsWith(wanted)) ||
  (image.reference !== "" && image.reference === normalizeReference(wanted))

const isMissing = (error: EngineError): boolean => error._tag === "ContainerError" && error.kind === "missing"

const containerView = (reference: string, size: boolean): Effect.Effect<GoMap, EngineError, Engine> =>
  Effect.gen(function*() {
    const engine = yield* Engine
    const view = (yield* engine.inspect(reference)) as unknown as GoMap
    if (!size) return view
    const { rootFs, rw } = yield* engine.size(reference)
    return { ...view, SizeRw: rw, SizeRootFs: rootFs }
  })

/** A container first, as docker looks; `type` "" looks everywhere. */
const view = Effect.fnUntraced(function*(
  reference: string, type: string, size: boolean
): Effect.fn.Return<GoMap, CommandError, Engine> {
  if (reference === "") return yield* refusal("invalid container name or ID: value is empty")
  if (type !== "image") {
    const container = yield* Effect.result(containerView(reference, size))
    if (Result.isSuccess(container)) return container.success
    if (type === "container" || !isMissing(container.failure)) return yield* Effect.fail(container.failure)
  }
  const images = yield* Engine.use((engine) => engine.images)
  const image = images.find((one) => isImage(one, reference))
  if (image !== undefined) return imageView(image)
  return yield* refusal(type === "image" ? `No such image: ${reference}` : `No such object: ${reference}`)
})

/** Also `container inspect` and `image inspect`, which look in one place only. */
export const inspectOf = (fixedType: "" | "container" | "image") => command({
  forms: fixedType === ""
    ? ["[OPTIONS] NAME|ID [NAME|ID...]"]
    : [`[OPTIONS] ${fixedType.toUpperCase()} [${fixedType.toUpperCase()}...]`],
  summary: fixedType === ""
    ? "Return low-level information on objects"
    : `Display detailed information on one or more ${fixedType}s`,
  flags: fixedType === ""
    ? flags
    : { ...flags, size: { ...flags.size, usage: "Display total file sizes" }, type: { ...flags.type, hidden: true } },
  arguments: { least: 1 },
  interspersed: true,
  engine: "reads",
  run: ({ arguments: references, values }) => Effect.gen(function*() {
    const type = fixedType || values.type
    if (type !== "" && !types.includes(type)) {
      return yield* refusal(`unknown type: "${type}": must be one of ${types.map((one) => `"${one}"`).join(", ")}`)
    }
    const views: Array<GoMap> = []
    const failures: Array<string> = []
    for (const reference of references) {
      const found = yield* Effect.result(view(reference, type, values.size))
      if (Result.isSuccess(found)) views.push(found.success)
      else failures.push(describe(found.failure).message)
    }
    if (values.format === "" || values.format === "json") {
      yield* print(`${JSON.stringify(views, null, values.format === "" ? 4 : 0)}\n`)
    } else {
      for (const one of views) {
        yield* print(`${yield* Effect.fromResult(formatInspected(values.format, one, mapKeys))}\n`)
      }
    }
    for (const failure of failures) yield* complain(`${program}: ${failure}`)
    return failures.length > 0 ? 1 : 0
  })
})

export const inspect = inspectOf("")
export const inspectContainer = inspectOf("container")
export const inspectImage = inspectOf("image")
