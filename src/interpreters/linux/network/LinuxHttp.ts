/** The network of this host as the programs see it: requests over Node's http and https, kept-alive and unfollowed. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { certificateRoots } from "../../../domain/registry/CertificateDirectory.ts"
import type { Environment } from "../../../domain/registry/Proxy.ts"
import { Http } from "../../../programs/registry/Http.ts"
import { Connections } from "./Connections.ts"
import { Exchange } from "./Exchange.ts"
import { Trust } from "./Trust.ts"

export interface LinuxHttpOptions {
  /** Directories with a directory of certificates for each registry; those of docker by default. */
  readonly certificateRoots?: ReadonlyArray<string>
  /** SSL_CERT_FILE and SSL_CERT_DIR count. */
  readonly environment: Environment
}

/** Nothing is loaded before the first request. Connections end with the layer. */
export const layer = (options: LinuxHttpOptions): Layer.Layer<Http> =>
  Layer.effect(
    Http,
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => new Connections(new Trust(options.certificateRoots ?? certificateRoots(), options.environment))),
        (connections) => Effect.sync(() => connections.close())
      ),
      (connections) => ({
        send: Effect.fnUntraced(function*(request) {
          const exchange = yield* Effect.acquireRelease(
            Effect.sync(() => new Exchange(connections, request)),
            (exchange) => Effect.sync(() => exchange.close())
          )
          if (request.body?.kind === "stream") yield* Effect.forkIn(exchange.sendBody, yield* Scope.Scope)
          return yield* Effect.onError(exchange.head, () => Effect.sync(() => exchange.close()))
        })
      })
    )
  )
