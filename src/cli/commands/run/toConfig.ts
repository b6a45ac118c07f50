/** From a parsed `run` or `create` command line to a container's configuration. Pure: all it depends on comes in. */
import * as Result from "effect/Result"
import { type ContainerConfig, defaultConfig } from "../../../domain/container/ContainerConfig.ts"
import { resolvePath } from "../../../domain/text/PosixPath.ts"
import type { Parsed } from "../../argv/parseArguments.ts"
import { type containerFlags, missingFlags } from "./containerFlags.ts"
import { filePart } from "./filePart.ts"
import { namespacePart } from "./namespacePart.ts"
import { processPart, type Refusal } from "./processPart.ts"
import { limitPart, recordPart } from "./recordPart.ts"
import { rightPart } from "./rightPart.ts"
import type { ContainerValues, RunInput } from "./RunInput.ts"

/** Values of these that change nothing: there is no other isolation on Linux. */
const harmless: { readonly [flag: string]: ReadonlyArray<unknown> } = {
  isolation: ["", "default"], "publish-all": [false], "use-api-socket": [false]
}

const notYet = (values: ContainerValues): Refusal | undefined => {
  if (!["", "always", "missing", "never"].includes(values.pull)) {
    return `invalid pull option: '${values.pull}': must be one of "always", "missing" or "never"`
  }
  for (const flag of Object.keys(missingFlags) as ReadonlyArray<keyof typeof missingFlags>) {
    const value = values[flag]
    const says = Array.isArray(value) ? value.length > 0 : value !== "" && value !== false
    if (!says || harmless[flag]?.includes(value) === true) continue
    return `--${flag} is not supported yet: leave it out`
  }
  return undefined
}

/** An image's name is looked at by the engine; only what can be none is refused here. */
const rootOf = (
  values: ContainerValues, args: ReadonlyArray<string>, input: RunInput
): Result.Result<Pick<ContainerConfig, "image" | "rootfs" | "command">, Refusal> => {
  if (values.rootfs !== "") {
    const rootfs = resolvePath(input.workingDirectory, values.rootfs)
    return Result.succeed({ image: rootfs, rootfs, command: args })
  }
  const [image = "", ...command] = args
  return image === "" ? Result.fail("invalid reference format") : Result.succeed({ image, command })
}

export interface ContainerLine extends Pick<Parsed<typeof containerFlags>, "values" | "arguments"> {
  readonly given: { readonly has: (flag: "entrypoint") => boolean }
}

/** `detached`: nobody is attached from the beginning (`run -d`). Fails with what is wrong with the command line. */
export const toConfig = (
  line: ContainerLine, detached: boolean, input: RunInput
): Result.Result<ContainerConfig, Refusal> => Result.gen(function*() {
  const { values } = line
  const missing = notYet(values)
  if (missing !== undefined) return yield* Result.fail(missing)
  const root = yield* rootOf(values, line.arguments, input)
  return {
    ...defaultConfig(root.image),
    ...root,
    ...(yield* limitPart(values)),
    ...(yield* filePart(values, input)),
    ...(yield* rightPart(values, input)),
    ...(yield* namespacePart(values)),
    ...(yield* processPart(values, line.given.has("entrypoint"), detached, input)),
    ...(yield* recordPart(values, input))
  }
})
