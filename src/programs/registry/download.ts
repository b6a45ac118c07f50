/** A file from the web by its URL, with the same proxies, redirects and care as a registry's contents. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { readUrl } from "../../domain/registry/HttpMessage.ts"
import { type RegistryError, registryError, type Subject } from "../../domain/registry/RegistryError.ts"
import type { Client } from "./Client.ts"
import { setbackOfFailure } from "./Setback.ts"
import { transfer } from "./transfer.ts"

/** http or https. A connection that breaks off is a failure: what came so far may be in use already. */
export const download = (client: Client, text: string): Stream.Stream<Uint8Array, RegistryError> => {
  const subject: Subject = { operation: "download", object: text }
  return Stream.unwrap(Effect.gen(function*() {
    const url = readUrl(text)
    if (url === undefined) {
      return yield* registryError(subject, "invalid", "this is not an http or https URL", "write it as https://HOST/PATH")
    }
    url.hash = ""
    const answer = yield* transfer(client, subject, { method: "GET", url: url.href, headers: {}, verifyTls: true }).pipe(
      Effect.mapError(({ error }) => error)
    )
    if (answer.status !== 200) {
      return yield* registryError(
        subject, answer.status === 404 ? "missing" : "unavailable", `${url.host} answers with ${answer.status}`, "check the URL",
        { status: answer.status }
      )
    }
    return Stream.mapError(answer.body, (failure) => setbackOfFailure(subject, url.host, failure).error)
  }))
}
