/** Compares what was written to a control file with what it says now: the kernel prints some values its own way. */

/** Pages and unlimited values of v1, `max` of v2, lists and key-value lines. */
const canonical = (text: string): string => text.trim().replace(/\s+/g, " ")

/** v1 prints "unlimited" as the largest number of pages (PAGE_COUNTER_MAX) in bytes. */
const legacyUnlimited = "9223372036854771712"

/** v1's devices files and per-device lines cannot be read back as written. */
const unreadable = /^(devices\.|cgroup\.|io\.max$|io\.weight$|blkio\.)/

/** A phrase such as `is 100, not 200`, or undefined when they agree or cannot be compared. */
export const limitDifferences = (file: string, written: string, read: string | undefined): string | undefined => {
  if (unreadable.test(file)) return undefined
  if (read === undefined) return `is missing, and should be ${written}`
  const is = canonical(read)
  const should = canonical(written)
  if (is === should || (should === "-1" && is === legacyUnlimited)) return undefined
  // The kernel keeps whole pages
  const pages = (text: string) => /^[0-9]+$/.test(text) ? Math.floor(Number(text) / 4096) : text
  if (file.startsWith("memory.") && pages(is) === pages(should)) return undefined
  return `is ${is}, and should be ${should}`
}
