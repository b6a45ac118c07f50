/**
 * Takes names from images, and removes images that have lost their last one: their record first, then what nobody
 * else needs of their contents.
 */
import * as Effect from "effect/Effect"
import { ContainerError } from "../../domain/container/ContainerError.ts"
import type { ContainerRecord } from "../../domain/container/ContainerRecord.ts"
import { type Digest, hexOf } from "../../domain/image/Digest.ts"
import { parseImageLookup } from "../../domain/image/ImageLookup.ts"
import { equalReferences, familiarReference, type Reference, repositoryOf } from "../../domain/image/Reference.ts"
import type { KernelError } from "../../domain/kernel/KernelError.ts"
import type { Host } from "../Host.ts"
import { type Kernel, perform } from "../Kernel.ts"
import { listContainers } from "../Store.ts"
import { stateOf } from "../container/observation.ts"
import { collectGarbage } from "./collectGarbage.ts"
import { findStored, invalidText, removeName, type StoredImage } from "./imageRecords.ts"
import { collecting } from "./leases.ts"

/** What was done, in docker's order and words. */
export type Removal = { readonly _tag: "Untagged"; readonly name: string } | { readonly _tag: "Deleted"; readonly digest: Digest }

export interface RemovalOptions {
  readonly force: boolean
  /** Keeps what is left of the image, even without a name. */
  readonly noPrune: boolean
}

const conflict = (wanted: string, cause: string, cure: string): ContainerError =>
  new ContainerError({ operation: "rmi", object: wanted, kind: "conflict", cause, cure })

interface Users {
  readonly running: ReadonlyArray<ContainerRecord>
  readonly stopped: ReadonlyArray<ContainerRecord>
}

const usersOf = Effect.fnUntraced(function*(
  image: Digest
): Effect.fn.Return<Users, KernelError, Kernel | Host> {
  const users = (yield* listContainers).map(({ record }) => record).filter(({ imageId }) => imageId === image)
  const running: Array<ContainerRecord> = []
  for (const record of users) if ((yield* stateOf(record)).process !== undefined) running.push(record)
  return { running, stopped: users.filter((one) => !running.includes(one)) }
})

const namesOf = (containers: ReadonlyArray<ContainerRecord>): string => containers.map(({ name }) => name).join(", ")

/** The names that go. None: the image was meant itself, with all of its names. */
const meantNames = (wanted: string, image: StoredImage, reference: Reference | undefined): ReadonlyArray<Reference> => {
  if (reference === undefined) return []
  const isDigest = reference.digest !== undefined
  const named = (isDigest ? image.digests : image.tags).filter((one) => equalReferences(one, reference))
  return hexOf(image.id).startsWith(wanted.replace(/^sha256:/, "")) ? [] : named
}

const refuseUse = (wanted: string, { running, stopped }: Users, force: boolean): ContainerError | undefined => {
  if (running.length > 0) {
    return conflict(
      wanted, `unable to delete ${wanted} (cannot be forced): it is used by the running ${namesOf(running)}`,
      "stop and remove what uses it first"
    )
  }
  return stopped.length > 0 && !force
    ? conflict(
      wanted, `unable to delete ${wanted} (must be forced): it is used by the stopped ${namesOf(stopped)}`,
      "remove what uses it first, or force it: the containers keep their layers"
    )
    : undefined
}

/** The digests of a repository that has no tag left go with its last tag. */
const orphanedDigests = (image: StoredImage, gone: ReadonlyArray<Reference>): ReadonlyArray<Reference> => {
  const left = image.tags.filter((tag) => !gone.some((one) => equalReferences(one, tag)))
  const repositories = new Set(left.map(repositoryOf))
  return image.digests.filter((digest) =>
    !gone.some((one) => equalReferences(one, digest)) && !repositories.has(repositoryOf(digest)) &&
    gone.some((one) => repositoryOf(one) === repositoryOf(digest)))
}

interface Taken {
  readonly removals: ReadonlyArray<Removal>
  /** Whether the image itself has gone, and not only names of it. */
  readonly whole: boolean
}

/** While nobody finds the image to name it, or to make a container of it. */
const takeNames = Effect.fnUntraced(function*(
  wanted: string, options: RemovalOptions
): Effect.fn.Return<Taken, KernelError | ContainerError, Kernel | Host> {
  const image = yield* findStored("rmi", wanted)
  if (image.builtin !== undefined) {
    return yield* conflict(wanted, `${wanted} belongs to the engine itself`, "it takes no room: leave it")
  }
  const lookup = yield* Effect.fromResult(parseImageLookup(wanted)).pipe(Effect.mapError(invalidText("rmi")))
  const meant = meantNames(wanted, image, lookup.id === undefined ? lookup.reference : undefined)
  const all = [...image.tags, ...image.digests]
  const gone = meant.length > 0 ? [...meant, ...orphanedDigests(image, meant)] : all
  const left = all.filter((name) => !gone.includes(name))
  const repositories = new Set(image.tags.map(repositoryOf))
  if (meant.length === 0 && image.tags.length > 1 && repositories.size > 1 && !options.force) {
    return yield* conflict(
      wanted, `unable to delete ${wanted} (must be forced): image is referenced in multiple repositories`,
      `remove its names one by one, or force it: ${image.tags.map(familiarReference).join(", ")}`
    )
  }
  if (left.length === 0) {
    const refusal = refuseUse(wanted, yield* usersOf(image.id), options.force)
    if (refusal !== undefined) return yield* refusal
  }
  for (const name of gone) yield* removeName(name)
  const untagged = gone.map((name): Removal => ({ _tag: "Untagged", name: familiarReference(name) }))
  if (left.length > 0) return { removals: untagged, whole: false }
  yield* perform("RecordDelete", { collection: "images", key: image.id })
  return { removals: [...untagged, { _tag: "Deleted", digest: image.id }], whole: true }
})

/** By name, digest or id. */
export const removeImage = Effect.fnUntraced(function*(
  wanted: string, options: RemovalOptions
): Effect.fn.Return<ReadonlyArray<Removal>, KernelError | ContainerError, Kernel | Host> {
  const { removals, whole } = yield* collecting(takeNames(wanted, options))
  if (!whole || options.noPrune) return removals
  const { layers } = yield* collectGarbage()
  return [...removals, ...layers.map((digest): Removal => ({ _tag: "Deleted", digest }))]
})
