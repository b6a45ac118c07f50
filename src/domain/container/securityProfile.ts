/** `--security-opt seccomp=…` → the OCI seccomp section: none, Docker's default profile, or a custom one. */
import * as Result from "effect/Result"
import { defaultProfile } from "../seccomp/defaultProfile.ts"
import { decodeProfile, type OciSeccomp, type ProfileHost, resolve } from "../seccomp/SeccompProfile.ts"
import type { ContainerConfig } from "./ContainerConfig.ts"

/** The default profile by what it depends on: one object for all containers of a kind. Bounded. */
const sections = new Map<string, OciSeccomp>()
const sectionsLimit = 64

const defaultSection = (host: ProfileHost): OciSeccomp => {
  const { capabilities, kernelVersion, machine } = host
  const key = `${machine} ${kernelVersion.major}.${kernelVersion.minor} ${[...capabilities].join(" ")}`
  const found = sections.get(key)
  if (found !== undefined) return found
  const section = resolve(defaultProfile, host)
  if (sections.size >= sectionsLimit) sections.clear()
  sections.set(key, section)
  return section
}

/** `undefined`: no filter (unconfined or privileged). */
export const resolveSeccomp = (
  config: ContainerConfig,
  facts: {
    readonly machine: string
    readonly capabilities: ReadonlyArray<string>
    readonly kernelVersion: { readonly major: number; readonly minor: number }
  }
): Result.Result<OciSeccomp | undefined, string> => {
  if (config.seccomp === "unconfined" || (config.privileged && config.seccomp === "default")) {
    return Result.succeed(undefined)
  }
  const environment = {
    machine: facts.machine, capabilities: new Set(facts.capabilities), kernelVersion: facts.kernelVersion
  }
  if (config.seccomp === "default") return Result.succeed(defaultSection(environment))
  return Result.map(
    Result.mapError(decodeProfile(config.seccomp), (error) => error.message),
    (profile) => resolve(profile, environment)
  )
}
