/** What the rules of this room know of HTTP: methods and header fields, as plain data. */

export type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE"

/** Fields that we send. Names in lower case. */
export type RequestFields = Readonly<Record<string, string>>

/** Fields that we got, in the order of the lines. Names in lower case. */
export type ResponseFields = Readonly<Record<string, ReadonlyArray<string>>>

/** All lines of a field that may be repeated. */
export const lines = (fields: ResponseFields, name: string): ReadonlyArray<string> =>
  Object.hasOwn(fields, name) ? fields[name] ?? [] : []

/**
 * The value of a field that may be there once. Undefined when it is absent, and when it is there with different
 * values: which of them counts would be anybody's guess (RFC 9110 §5.3).
 */
export const single = (fields: ResponseFields, name: string): string | undefined => {
  const values = new Set(lines(fields, name).map((value) => value.trim()))
  return values.size === 1 ? [...values][0] : undefined
}

/** A decimal number of bytes, undefined for anything else (RFC 9110 §8.6). */
export const readLength = (text: string | undefined): number | undefined => {
  if (text === undefined || !/^[0-9]{1,16}$/.test(text)) return undefined
  const length = Number(text)
  return Number.isSafeInteger(length) ? length : undefined
}

/** Scheme, host and port of an absolute URL in the one spelling that can be compared. */
export const originOf = (url: string): string | undefined => readUrl(url)?.origin

/** An absolute http or https URL, undefined for anything else. Credentials inside a URL are never taken. */
export const readUrl = (text: string, base?: string): URL | undefined => {
  if (text.length > longestUrl) return undefined
  const url = URL.parse(text, base)
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) return undefined
  return url.username === "" && url.password === "" ? url : undefined
}

/** Signed blob addresses of cloud stores take some 2 KiB. */
export const longestUrl = 16_384
