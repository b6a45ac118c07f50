/** A request that failed, perhaps not for good, and the patience that we have with it. */
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { type RegistryError, registryError, type RegistryErrorKind, type Subject } from "../../domain/registry/RegistryError.ts"
import { decideRetry, type Mishap, type RetryPolicy, type TransportFailure } from "../../domain/registry/Retry.ts"
import type { Client } from "./Client.ts"
import type { HttpFailure } from "./Http.ts"

export class Setback extends Data.TaggedError("Setback")<{
  readonly mishap: Mishap
  /** What the user is told if it stays at that. */
  readonly error: RegistryError
}> {}

/** For what no repetition mends. */
export const finalSetback = (error: RegistryError): Setback =>
  new Setback({ mishap: { kind: "response", status: 0, retryAfter: undefined }, error })

/** `HOST` stands for the registry's name and port. */
const meanings: Readonly<Record<TransportFailure, { readonly kind: RegistryErrorKind; readonly cure: string }>> = {
  unknown: { kind: "unavailable", cure: "check the registry's name and this machine's name service" },
  name: { kind: "unavailable", cure: "check the registry's name and this machine's name service" },
  refused: { kind: "unavailable", cure: "check that the registry runs and that its port is right" },
  tls: {
    kind: "refused",
    cure: "put the authority of its certificate into /etc/docker/certs.d/HOST/ca.crt, or configure the registry as insecure"
  },
  broken: { kind: "unavailable", cure: "try again; what is here already is kept" },
  timeout: { kind: "unavailable", cure: "check the network, then try again; what is here already is kept" },
  proxy: { kind: "unavailable", cure: "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY" },
  source: { kind: "invalid", cure: "check the store that it is read from" }
}

export const setbackOfFailure = (subject: Subject, host: string, failure: HttpFailure): Setback => {
  const { cure, kind } = meanings[failure.kind]
  return new Setback({
    mishap: { kind: "failure", failure: failure.kind },
    error: registryError(subject, kind, `${host}: ${failure.cause}`, cure.replace("HOST", host))
  })
}

const withCause = (error: RegistryError, cause: string): RegistryError =>
  registryError(error, error.kind, cause, error.cure, error)

/**
 * Waits as long as the policy says after the `failures`th failure, or fails for good.
 */
export const holdOn = Effect.fnUntraced(function*(
  client: Client, policy: RetryPolicy, setback: Setback, failures: number
): Effect.fn.Return<void, RegistryError> {
  const { error, mishap } = setback
  const decision = decideRetry(policy, mishap, failures, yield* Clock.currentTimeMillis, yield* Random.next)
  if (decision.kind === "wait") {
    const { operation, object } = error
    yield* client.observe({ kind: "retry", operation, object, cause: error.cause, millis: decision.millis })
    return yield* Effect.sleep(decision.millis)
  }
  if (decision.reason === "exhausted") return yield* withCause(error, `${error.cause} (after ${failures} tries)`)
  if (decision.reason === "tooLong") {
    return yield* withCause(error, `${error.cause} (it asks for a wait of ${Math.ceil((decision.asked ?? 0) / 1000)} s)`)
  }
  return yield* error
})

/** Repeats what failed for a passing reason, as often as the policy says. */
export const persist = <A, R>(
  client: Client, attempt: Effect.Effect<A, Setback, R>, policy: RetryPolicy = client.retry
): Effect.Effect<A, RegistryError, R> => {
  const after = (failures: number): Effect.Effect<A, RegistryError, R> =>
    Effect.catch(attempt, (setback) =>
      Effect.andThen(holdOn(client, policy, setback, failures + 1), after(failures + 1)))
  return Effect.suspend(() => after(0))
}
