/**
 * What the engine would do for a container of this benchmark, without doing it: the OCI spec that peers get,
 * and what the bare C program needs to do the same.
 */
import { basename } from "node:path"
import * as Effect from "effect/Effect"
import type { RuntimeSpec } from "../../src/domain/oci/RuntimeSpec.ts"
import { attachFlags, type SupervisorSpec } from "../../src/domain/kernel/Supervisor.ts"
import { encodeSpec } from "../../src/domain/kernel/wire.ts"
import { create } from "../../src/programs/container/create.ts"
import { prepareStart } from "../../src/programs/container/prepareStart.ts"
import { remove } from "../../src/programs/container/remove.ts"
import type { Library } from "./Library.ts"

export interface Specimen {
  readonly spec: RuntimeSpec
  /** Texts of /etc/hostname, /etc/hosts and /etc/resolv.conf by name. */
  readonly files: { readonly [name: string]: string }
  /** struct sock_filter array */
  readonly filter: Uint8Array
  readonly supervisor: SupervisorSpec
  /** What the supervisor reads, for a client that wants the output and claims the exit. */
  readonly specification: Uint8Array
}

export const specimen = (library: Library): Promise<Specimen> =>
  library.run(Effect.gen(function*() {
    const { stored } = yield* create(library.config(["true"]), "")
    const { before, spec, supervisor } = yield* prepareStart(stored.record, [])
    yield* remove(stored, { force: true })
    const files = before.flatMap((op) =>
      op.tag === "FileWrite" ? [[basename(op.payload.path), op.payload.text] as const] : [])
    const filter = supervisor.program.find((op) => op._tag === "Seccomp")?.filter ?? new Uint8Array()
    const attach = attachFlags.stdout | attachFlags.stderr | attachFlags.claim
    const specification = encodeSpec(supervisor, attach).slice()
    return { spec, files: Object.fromEntries(files), filter, supervisor, specification }
  }))
