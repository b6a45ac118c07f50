/**
 * Docker's format of a seccomp profile: the OCI object with conditions on the host and on the container's
 * capabilities. `decodeProfile` reads one from JSON, `resolve` settles the conditions.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type Architecture, architectureFacts, architectureOfMachine } from "./Architecture.ts"
import { ErrnoReturn, type OciSeccomp, SeccompAction, SeccompArgument } from "./OciSeccomp.ts"
import { SeccompError } from "./SeccompError.ts"

export type { OciSeccomp } from "./OciSeccomp.ts"

/** A profile is a file somebody found on the web: these bound the work it can ask for. */
const limits = {
  /** Of the whole file, UTF-16 units. */
  characters: 1 << 20,
  rules: 4096,
  namesOfRule: 4096,
  argumentsOfRule: 64,
  /** Of any other list. */
  entries: 256,
  nameCharacters: 256
}

const Text = Schema.String.check(Schema.isMaxLength(limits.nameCharacters))
const Texts = Schema.Array(Text).check(Schema.isMaxLength(limits.entries))
/** Go writes an empty list, and some a missing value, as null. */
const optional = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

/** "4.8": release and major number, as moby's KernelVersion; empty means none. */
const MinimumKernel = Schema.String.check(
  Schema.isPattern(/^$|^\d{1,5}\.\d{1,5}$/, { expected: "a kernel version such as \"4.8\"" })
)

const HostConditions = Schema.Struct({
  /** Docker's names: amd64, arm64, x86, … */
  arches: optional(Texts),
  caps: optional(Texts),
  minKernel: optional(MinimumKernel)
})

const ProfileRule = Schema.Struct({
  name: optional(Text),
  names: optional(Schema.Array(Text).check(Schema.isMaxLength(limits.namesOfRule))),
  action: SeccompAction,
  errnoRet: optional(ErrnoReturn),
  args: optional(Schema.Array(SeccompArgument).check(Schema.isMaxLength(limits.argumentsOfRule))),
  comment: optional(Schema.String),
  /** Every one must be met; of `arches` the host's must be listed, of `caps` all must be held. */
  includes: optional(HostConditions),
  /** Met by any one: a listed architecture, a held capability, a kernel of that version or newer. */
  excludes: optional(HostConditions)
})

export const SeccompProfile = Schema.Struct({
  defaultAction: SeccompAction,
  defaultErrnoRet: optional(ErrnoReturn),
  archMap: optional(
    Schema.Array(Schema.Struct({ architecture: Text, subArchitectures: optional(Texts) }))
      .check(Schema.isMaxLength(limits.entries))
  ),
  /** Instead of `archMap`: the same list on every host. */
  architectures: optional(Texts),
  flags: optional(Texts),
  listenerPath: optional(Schema.String),
  listenerMetadata: optional(Schema.String),
  syscalls: optional(Schema.Array(ProfileRule).check(Schema.isMaxLength(limits.rules)))
})
export type SeccompProfile = typeof SeccompProfile.Type

const refuse = (object: string, reason: string, hint: string): Result.Result<never, SeccompError> =>
  Result.fail(new SeccompError({ operation: "parse the seccomp profile", object, reason, hint }))

/** Numbers that a double cannot hold stay exact: masks often have the top bits set. */
const keepWholeNumbers = (_key: string, value: unknown, context: { readonly source?: string }): unknown =>
  typeof value === "number" && !Number.isSafeInteger(value) && /^\d+$/.test(context.source ?? "")
    ? BigInt(context.source!)
    : value

const parseJson = (text: string): Result.Result<unknown, SeccompError> => {
  try {
    return Result.succeed(JSON.parse(text, keepWholeNumbers as Parameters<typeof JSON.parse>[1]))
  } catch (error) {
    return refuse("the file", (error as Error).message, "it must hold one JSON object, as Docker's profiles do")
  }
}

const contradiction = (profile: SeccompProfile): Result.Result<SeccompProfile, SeccompError> => {
  if ((profile.archMap ?? []).length > 0 && (profile.architectures ?? []).length > 0) {
    return refuse("archMap", "given together with architectures", "keep one of the two")
  }
  const both = (profile.syscalls ?? []).findIndex(({ name, names }) => name && names && names.length > 0)
  if (both >= 0) return refuse(`syscalls[${both}]`, "has both name and names", "keep one of the two")
  return Result.succeed(profile)
}

/** Long reasons come from long input, and would bury the hint. */
const shorten = (text: string): string => text.length > 600 ? `${text.slice(0, 600)}…` : text

/**
 * Reads a profile in Docker's JSON format. Keys it does not know are ignored, as Docker does; unlike there, a
 * profile without a defaultAction is an error and not the silent end of all filtering.
 */
export const decodeProfile = (text: string): Result.Result<SeccompProfile, SeccompError> => {
  if (text.length > limits.characters) {
    const reason = `has more than ${limits.characters} characters`
    return refuse("the file", reason, "a profile is some 15 kB; is it the right file?")
  }
  const json = parseJson(text)
  if (Result.isFailure(json)) return Result.fail(json.failure)
  const decoded = Schema.decodeUnknownResult(SeccompProfile)(json.success)
  if (Result.isFailure(decoded)) {
    return refuse("the profile", shorten(decoded.failure.message), "compare with Docker's default.json")
  }
  return contradiction(decoded.success)
}

/** What a profile's conditions are about. */
export interface ProfileHost {
  /** The machine name of uname(2), as `os.machine()` gives it: x86_64, aarch64, … */
  readonly machine: string
  /** The container's bounding set: `CAP_SYS_ADMIN`, … */
  readonly capabilities: ReadonlySet<string>
  /** The first two numbers of uname's release: 6 and 18 of 6.18.44. */
  readonly kernelVersion: { readonly major: number; readonly minor: number }
}

type HostConditions = typeof HostConditions.Type

/** Settles a profile for one host and one container: moby profiles/seccomp/seccomp_linux.go, setupSeccomp. */
export const resolve = (profile: SeccompProfile, host: ProfileHost): OciSeccomp => ({
  defaultAction: profile.defaultAction,
  ...present("defaultErrnoRet", profile.defaultErrnoRet),
  architectures: resolveArchitectures(profile, architectureOfMachine(host.machine)),
  ...present("flags", profile.flags),
  ...present("listenerPath", profile.listenerPath),
  ...present("listenerMetadata", profile.listenerMetadata),
  syscalls: (profile.syscalls ?? []).filter((rule) => applies(rule, host)).map((rule) => ({
    names: rule.name ? [rule.name] : rule.names ?? [],
    action: rule.action,
    ...present("errnoRet", rule.errnoRet),
    ...present("args", rule.args)
  }))
})

const present = <Key extends string, Value>(key: Key, value: Value | null | undefined) =>
  (value === null || value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: Value }

const resolveArchitectures = (
  profile: SeccompProfile,
  native: Architecture | undefined
): ReadonlyArray<string> => {
  const entry = profile.archMap?.find(({ architecture }) => architecture === native)
  return entry === undefined ? profile.architectures ?? [] : [entry.architecture, ...(entry.subArchitectures ?? [])]
}

const applies = (rule: typeof ProfileRule.Type, host: ProfileHost): boolean => {
  const { includes, excludes } = rule
  const native = architectureOfMachine(host.machine)
  const dockerName = native === undefined ? "" : architectureFacts(native).dockerName
  const held = (capability: string) => host.capabilities.has(capability)
  const excluded = excludes?.arches?.includes(dockerName) || excludes?.caps?.some(held) ||
    reaches(host, excludes, false)
  const included = (!includes?.arches?.length || includes.arches.includes(dockerName)) &&
    (includes?.caps ?? []).every(held) && reaches(host, includes, true)
  return included && !excluded
}

/** Whether the kernel is of the version asked for or newer; `whenUnasked` if the conditions name none. */
const reaches = (host: ProfileHost, conditions: HostConditions | null | undefined, whenUnasked: boolean): boolean => {
  if (!conditions?.minKernel) return whenUnasked
  const [major, minor] = conditions.minKernel.split(".").map(Number) as [number, number]
  const { kernelVersion } = host
  return kernelVersion.major > major || (kernelVersion.major === major && kernelVersion.minor >= minor)
}
