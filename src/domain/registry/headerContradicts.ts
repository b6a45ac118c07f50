/** Whether what a registry says of a content agrees with what we wanted. */
import { algorithmOf, readDigest } from "../image/Digest.ts"

/**
 * Whether `Docker-Content-Digest` disagrees with the digest that we computed or asked for. An absent header and one of
 * another algorithm say nothing; an unreadable one contradicts.
 */
export const headerContradicts = (header: string | undefined, digest: string): boolean => {
  if (header === undefined) return false
  return readDigest(header) === undefined || (algorithmOf(header) === algorithmOf(digest) && header !== digest)
}
