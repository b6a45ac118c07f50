/** `logout`: forgets what is known of the user at a registry. */
import * as Effect from "effect/Effect"
import { credentialKey } from "../../domain/registry/DockerConfig.ts"
import { Registries } from "../../programs/Registries.ts"
import { printLine } from "../terminal/print.ts"
import { command } from "./Command.ts"
import { domainOf } from "./login.ts"

export const logout = command({
  forms: ["[SERVER]"],
  summary: "Log out from a registry",
  details: "Log out from a registry.\nIf no server is specified, the default is Docker Hub.",
  flags: {},
  arguments: { least: 0, most: 1 },
  interspersed: true,
  engine: "changes",
  asFound: true,
  run: ({ arguments: [server] }) => Effect.gen(function*() {
    const registries = yield* Registries
    const domain = domainOf(server)
    yield* printLine(`Removing login credentials for ${credentialKey(domain)}`)
    yield* registries.logout(domain)
    return 0
  })
})
