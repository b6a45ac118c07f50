/** Which endpoint of a registry is asked: its mirrors first, and without TLS only where the user allows it. */
import * as Effect from "effect/Effect"
import { type Endpoint, isRepositoryName, pingUrl } from "../../domain/registry/Endpoint.ts"
import { type RegistryError, registryError, type Subject } from "../../domain/registry/RegistryError.ts"
import { type Candidate, candidatesFor } from "../../domain/registry/RegistrySettings.ts"
import type { RetryPolicy } from "../../domain/registry/Retry.ts"
import type { Client, Repository } from "./Client.ts"
import { tryShort } from "./exchange.ts"
import { persist, type Setback } from "./Setback.ts"

/** Mirrors are a convenience: the registry itself is the second try. */
export const mirrorPolicy = (policy: RetryPolicy): RetryPolicy => ({ ...policy, attempts: Math.min(2, policy.attempts) })

const tryPing = (client: Client, subject: Subject, endpoint: Endpoint): Effect.Effect<Endpoint, Setback> =>
  Effect.as(
    tryShort(client, { ...subject, endpoint, method: "GET", url: pingUrl(endpoint), scopes: [], accepts: () => true }), endpoint
  )

/**
 * The first of a registry's own endpoints, or the second when no connection to the first comes about and one to the
 * second does. Found out once.
 */
const settle = Effect.fnUntraced(function*(
  client: Client, subject: Subject, domain: string, own: ReadonlyArray<Candidate>
): Effect.fn.Return<Endpoint, RegistryError> {
  const [first, fallback] = own
  if (first === undefined) return yield* Effect.die("a registry has an endpoint")
  if (fallback === undefined) return first
  const known = client.settled.get(domain)
  if (known !== undefined) return known
  const either = Effect.catch(tryPing(client, subject, first), (setback) =>
    setback.mishap.kind === "failure" && setback.mishap.failure !== "timeout"
      ? tryPing(client, subject, fallback)
      : Effect.fail(setback))
  const settled = yield* persist(client, either)
  client.settled.set(domain, settled)
  return settled
})

export interface Place {
  readonly endpoint: Endpoint
  readonly mirror: boolean
  readonly policy: RetryPolicy
}

/** Where to ask for something, in this order. The registry's own endpoint is the last and always there. */
export const placesFor = Effect.fnUntraced(function*(
  client: Client, subject: Subject, domain: string, purpose: "pull" | "other"
): Effect.fn.Return<ReadonlyArray<Effect.Effect<Place, RegistryError>>, RegistryError> {
  const candidates = yield* Effect.fromResult(candidatesFor(client.settings, domain, purpose))
  const mirrors = candidates.filter(({ mirror }) => mirror)
  const own = settle(client, subject, domain, candidates.filter(({ mirror }) => !mirror))
  return [
    ...mirrors.map((endpoint): Effect.Effect<Place> =>
      Effect.succeed({ endpoint, mirror: true, policy: mirrorPolicy(client.retry) })),
    Effect.map(own, (endpoint): Place => ({ endpoint, mirror: false, policy: client.retry }))
  ]
})

/** The registry itself. */
export const ownEndpoint = (client: Client, subject: Subject, domain: string): Effect.Effect<Endpoint, RegistryError> =>
  Effect.flatMap(Effect.fromResult(candidatesFor(client.settings, domain, "other")), (own) =>
    settle(client, subject, domain, own))

/** Asks one place after the other until one has it. What the registry itself says is the last word. */
export const fromFirst = <A>(
  client: Client, subject: Subject, domain: string, use: (place: Place) => Effect.Effect<A, RegistryError>
): Effect.Effect<A, RegistryError> =>
  Effect.flatMap(placesFor(client, subject, domain, "pull"), (places) => {
    const from = (index: number): Effect.Effect<A, RegistryError> =>
      Effect.flatMap(places[index] ?? Effect.die("the registry itself is the last place"), (place) =>
        place.mirror
          ? Effect.catch(use(place), (error) =>
            Effect.andThen(client.observe({ kind: "nextEndpoint", object: subject.object, cause: error.cause }), from(index + 1)))
          : use(place))
    return from(0)
  })

/** Fails for a name that could not be part of an address. */
export const checkRepository = (subject: Subject, repository: Repository): Effect.Effect<void, RegistryError> =>
  isRepositoryName(repository.path)
    ? Effect.void
    : Effect.fail(registryError(
      subject, "invalid", `${repository.path} is not the name of a repository`,
      "use lower-case letters, digits and single separators . _ - between slashes"
    ))
