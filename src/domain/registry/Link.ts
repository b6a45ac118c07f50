/** The next page of a listing (RFC 8288, as the distribution-spec uses it). */
import * as Result from "effect/Result"
import { lines, readUrl, type ResponseFields } from "./HttpMessage.ts"

const linkPattern = /[ \t]*<([^<>\s]*)>((?:[ \t]*;[ \t]*[A-Za-z0-9_*-]+(?:[ \t]*=[ \t]*(?:"[^"]*"|[^\s",;]+))?)*)[ \t]*(?:,|$)/y
const relationPattern = /;[ \t]*rel[ \t]*=[ \t]*(?:"([^"]*)"|([^\s",;]+))/i

/** Targets whose relation is `next`, in one header line. */
const nextTargets = (line: string): ReadonlyArray<string> => {
  const targets: Array<string> = []
  linkPattern.lastIndex = 0
  while (linkPattern.lastIndex < line.length) {
    const match = linkPattern.exec(line)
    if (match === null) return targets
    const relation = relationPattern.exec(match[2] ?? "")
    const names = (relation?.[1] ?? relation?.[2] ?? "").toLowerCase().split(/\s+/)
    if (names.includes("next")) targets.push(match[1] ?? "")
  }
  return targets
}

/**
 * The next page's URL, undefined on the last page. Fails with the cause when it leads to another origin, which would
 * get our credentials, or back to this page.
 */
export const nextPage = (fields: ResponseFields, url: string): Result.Result<string | undefined, string> => {
  const target = lines(fields, "link").flatMap((line) => line.length > 16_384 ? [] : nextTargets(line))[0]
  if (target === undefined) return Result.succeed(undefined)
  const next = readUrl(target, url)
  if (next === undefined) return Result.fail("the next page has no usable address")
  if (next.origin !== new URL(url).origin) return Result.fail(`the next page is somewhere else, at ${next.origin}`)
  return next.href === url ? Result.fail("a page names itself as the next one") : Result.succeed(next.href)
}
