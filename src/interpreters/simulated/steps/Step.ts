/**
 * What a handler of one operation is: it changes the draft, throws a Failure, or says that it has
 * to wait.
 */
import type { KernelTag, Payload, Success } from "../../../domain/kernel/KernelOp.ts"
import type { Draft, notYet } from "../Draft.ts"

export type Handlers<T extends KernelTag> = {
  readonly [K in T]: (draft: Draft, payload: Payload<K>) => Success<K> | typeof notYet
}
