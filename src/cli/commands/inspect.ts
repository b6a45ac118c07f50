/** `inspect`: all there is to know of containers and images, as JSON or through a template. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { formatInspected } from "../../domain/text/formatInspected.ts"
import type { GoMap } from "../../domain/text/goTemplate/GoValue.ts"
import { Engine, type EngineError } from "../../programs/Engine.ts"
import { boolean, text } from "../argv/Flag.ts"
import { Images } from "../../programs/Images.ts"
import { formatHelp } from "../format/formatHelp.ts"
import { imageView } from "../format/imageView.ts"
import { program } from "../program.ts"
import { complain, print } from "../terminal/print.ts"
import { command, type Services } from "./Command.ts"
import { type CommandError, describe, refusal } from "./CommandFailure.ts"
import { checkPlatform } from "./wantedPlatform.ts"

const platformUsage = `Inspect a specific platform of the multi-platform image.
If the image or the server is not multi-platform capable, the command will error out if the platform does not match.
'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)`

const flags = {
  platform: text(platformUsage, { hidden: true }),
  format: text(formatHelp.object, { short: "f" }),
  size: boolean("Display total file sizes if the type is container", { short: "s" }),
  type: text("Only inspect objects of the given type")
}

const types = ["container", "image"]

/** Fields of the views whose keys users choose. */
const mapKeys: ReadonlySet<string> = new Set([
  "Labels", "Annotations", "Sysctls", "Tmpfs", "Networks", "Ports", "PortBindings", "Volumes", "Data", "ExposedPorts"
])

const isMissing = (error: EngineError): boolean => error._tag === "ContainerError" && error.kind === "missing"

const containerView = (reference: string, size: boolean): Effect.Effect<GoMap, EngineError, Engine> =>
  Effect.gen(function*() {
    const engine = yield* Engine
    const view = (yield* engine.inspect(reference)) as unknown as GoMap
    if (!size) return view
    const { rootFs, rw } = yield* engine.size(reference)
    return { ...view, SizeRw: rw, SizeRootFs: rootFs }
  })

interface Wish {
  /** "" looks everywhere. */
  readonly type: string
  readonly size: boolean
  readonly platform: string
  /** For a template, which may ask for what the JSON leaves out. */
  readonly complete: boolean
}

/** A container first, as docker looks. */
const view = Effect.fnUntraced(function*(
  reference: string, { complete, platform, size, type }: Wish
): Effect.fn.Return<GoMap, CommandError, Services> {
  if (reference === "") return yield* refusal("invalid container name or ID: value is empty")
  if (type !== "image") {
    const container = yield* Effect.result(containerView(reference, size))
    if (Result.isSuccess(container)) return container.success
    if (type === "container" || !isMissing(container.failure)) return yield* Effect.fail(container.failure)
  }
  yield* checkPlatform(reference, platform)
  const image = yield* Effect.result(Images.use((images) => images.inspect(reference)))
  if (Result.isSuccess(image)) return imageView(image.success, complete)
  return yield* type === "" && isMissing(image.failure)
    ? refusal(`No such object: ${reference}: name a container of ps -a, or one of images`)
    : Effect.fail(image.failure)
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
    : fixedType === "image"
    ? { ...flags, platform: text(platformUsage), size: { ...flags.size, hidden: true }, type: { ...flags.type, hidden: true } }
    : { ...flags, size: { ...flags.size, usage: "Display total file sizes" }, type: { ...flags.type, hidden: true } },
  arguments: { least: 1 },
  interspersed: true,
  engine: "reads",
  run: ({ arguments: references, values }) => Effect.gen(function*() {
    const type = fixedType || values.type
    if (type !== "" && !types.includes(type)) {
      return yield* refusal(`unknown type: "${type}": must be one of ${types.map((one) => `"${one}"`).join(", ")}`)
    }
    const isJson = values.format === "" || values.format === "json"
    const wish: Wish = { type, size: values.size, platform: values.platform, complete: !isJson }
    const views: Array<GoMap> = []
    const failures: Array<string> = []
    for (const reference of references) {
      const found = yield* Effect.result(view(reference, wish))
      if (Result.isSuccess(found)) views.push(found.success)
      else failures.push(describe(found.failure).message)
    }
    if (isJson) {
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
