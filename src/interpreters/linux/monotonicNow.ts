/** Milliseconds of a clock that nobody sets. `performance` is the same, but Node loads a dozen modules for it. */
export const monotonicNow = (): number => {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1000 + nanoseconds / 1e6
}
