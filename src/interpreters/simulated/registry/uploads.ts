/** Upload sessions of a simulated registry, as distribution-spec 1.1 and docker's own registry have them. */
import { algorithmOf, readDigest } from "../../../domain/image/Digest.ts"
import type { RegistryState, UploadSession } from "./RegistryState.ts"
import { type Incoming, refusal, reply, type Reply } from "./Reply.ts"
import { joinBytes } from "../../../domain/bytes/joinBytes.ts"
import { digestBytes } from "./sha2.ts"

const unknown = refusal(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")

/** Where a session is and how far; no bytes and one byte look the same, as with docker's registry. */
const sessionFields = (state: RegistryState, id: string, session: UploadSession): Readonly<Record<string, string>> => {
  const base = state.setup.absoluteLocations === true ? state.setup.url : ""
  const { leastChunk } = state.setup
  return {
    location: `${base}/v2/${session.repository}/blobs/uploads/${id}?_state=${state.fresh("u")}`,
    range: `0-${Math.max(0, session.received.length - 1)}`,
    "docker-upload-uuid": id,
    ...(leastChunk === undefined ? {} : { "oci-chunk-min-length": String(leastChunk) })
  }
}

const created = (name: string, digest: string): Reply =>
  reply(201, { location: `/v2/${name}/blobs/${digest}`, "docker-content-digest": digest })

/** `mayMount`: whether the client may read the repository that it names. */
export const beginUpload = (
  state: RegistryState, incoming: Incoming, name: string, mayMount: boolean
): Reply => {
  const digest = incoming.url.searchParams.get("mount") ?? ""
  const content = state.repositories.get(incoming.url.searchParams.get("from") ?? "")?.blobs.get(digest)
  if (content !== undefined && mayMount && state.setup.mount) {
    state.repository(name).blobs.set(digest, content)
    return created(name, digest)
  }
  const id = state.fresh("upload-")
  const session: UploadSession = { repository: name, received: new Uint8Array(), lastSeen: false }
  state.uploads.set(id, session)
  return reply(202, sessionFields(state, id, session))
}

export const getUpload = (state: RegistryState, id: string): Reply => {
  const session = state.uploads.get(id)
  return session === undefined ? unknown : reply(204, sessionFields(state, id, session))
}

const startOf = (incoming: Incoming): number | undefined => {
  const match = /^([0-9]+)-([0-9]+)$/.exec(incoming.headers["content-range"] ?? "")
  return match === null ? undefined : Number(match[1])
}

export const patchUpload = (state: RegistryState, incoming: Incoming, id: string): Reply => {
  const session = state.uploads.get(id)
  if (session === undefined) return unknown
  const start = startOf(incoming)
  const tooSmall = session.lastSeen && incoming.body.length > 0
  if ((start !== undefined && start !== session.received.length) || tooSmall) {
    return reply(416, sessionFields(state, id, session))
  }
  session.received = joinBytes([session.received, incoming.body])
  session.lastSeen = !incoming.interrupted && incoming.body.length < (state.setup.leastChunk ?? 0)
  return reply(202, sessionFields(state, id, session))
}

export const closeUpload = (state: RegistryState, incoming: Incoming, id: string): Reply => {
  const session = state.uploads.get(id)
  if (session === undefined) return unknown
  const digest = incoming.url.searchParams.get("digest") ?? ""
  session.received = joinBytes([session.received, incoming.body])
  if (incoming.interrupted) return reply(202)
  if (readDigest(digest) === undefined || digestBytes(session.received, algorithmOf(digest)) !== digest) {
    state.uploads.delete(id)
    return refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
  }
  state.uploads.delete(id)
  state.repository(session.repository).blobs.set(digest, session.received)
  return created(session.repository, digest)
}
