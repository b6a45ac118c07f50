/** `--security-opt seccomp=…` → the OCI seccomp section: none, Docker's default profile, or a custom one. */
import * as Result from "effect/Result"
import { defaultProfile } from "../seccomp/defaultProfile.ts"
import { decodeProfile, type OciSeccomp, resolve } from "../seccomp/SeccompProfile.ts"
import type { ContainerConfig } from "./ContainerConfig.ts"

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
  if (config.seccomp === "default") return Result.succeed(resolve(defaultProfile, environment))
  return Result.map(
    Result.mapError(decodeProfile(config.seccomp), (error) => error.message),
    (profile) => resolve(profile, environment)
  )
}
