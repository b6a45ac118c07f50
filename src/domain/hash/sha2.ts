/**
 * SHA-256 and SHA-512 (FIPS 180-4) in plain TypeScript: for texts of the engine's own, such as chain ids, and for
 * simulations, which wait for nothing outside of them. Of large contents an interpreter computes the hash.
 */

const mask = (1n << 64n) - 1n

const primes = (count: number): ReadonlyArray<bigint> => {
  const found: Array<bigint> = []
  for (let candidate = 2n; found.length < count; candidate++) {
    if (found.every((prime) => candidate % prime !== 0n)) found.push(candidate)
  }
  return found
}

/** The largest integer whose `degree`th power is at most `value`. */
const integerRoot = (value: bigint, degree: bigint): bigint => {
  let low = 0n
  let high = 1n << 100n
  while (low < high) {
    const middle = (low + high + 1n) >> 1n
    if (middle ** degree <= value) low = middle
    else high = middle - 1n
  }
  return low
}

/** FIPS 180-4 §4.2.3, §5.3.5: the first 64 bits of the fractions of roots of primes. SHA-256 has the upper halves. */
const rounds = primes(80).map((prime) => integerRoot(prime << 192n, 3n) & mask)
const start = primes(8).map((prime) => integerRoot(prime << 128n, 2n) & mask)

const upper = (words: ReadonlyArray<bigint>): Int32Array => Int32Array.from(words, (word) => Number(word >> 32n))
const rounds256 = upper(rounds.slice(0, 64))
const start256 = upper(start)

/** The content with a one bit, zeros and its length in bits, a multiple of `block` bytes. */
const padded = (content: Uint8Array, block: number): DataView => {
  const lengthBytes = block / 8
  const whole = new Uint8Array(Math.ceil((content.length + 1 + lengthBytes) / block) * block)
  whole.set(content)
  whole[content.length] = 0x80
  const view = new DataView(whole.buffer)
  view.setBigUint64(whole.length - 8, BigInt(content.length) * 8n)
  return view
}

const rotate = (word: number, by: number): number => (word >>> by) | (word << (32 - by))

/** Lower-case hexadecimal digits. */
export const sha256 = (content: Uint8Array): string => {
  const view = padded(content, 64)
  const state = Int32Array.from(start256)
  const schedule = new Int32Array(64)
  for (let at = 0; at < view.byteLength; at += 64) {
    for (let t = 0; t < 64; t++) {
      if (t < 16) schedule[t] = view.getInt32(at + 4 * t)
      else {
        const near = schedule[t - 2] ?? 0
        const far = schedule[t - 15] ?? 0
        schedule[t] = (rotate(near, 17) ^ rotate(near, 19) ^ (near >>> 10)) + (schedule[t - 7] ?? 0) +
          (rotate(far, 7) ^ rotate(far, 18) ^ (far >>> 3)) + (schedule[t - 16] ?? 0)
      }
    }
    let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state
    for (let t = 0; t < 64; t++) {
      const one = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) +
        (rounds256[t] ?? 0) + (schedule[t] ?? 0) | 0
      const two = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c)) | 0
      h = g; g = f; f = e; e = d + one | 0; d = c; c = b; b = a; a = one + two | 0
    }
    for (const [index, word] of [a, b, c, d, e, f, g, h].entries()) state[index] = (state[index] ?? 0) + word
  }
  return [...state].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("")
}

const rotateBig = (word: bigint, by: bigint): bigint => ((word >> by) | (word << (64n - by))) & mask

/** Lower-case hexadecimal digits. */
export const sha512 = (content: Uint8Array): string => {
  const view = padded(content, 128)
  const state = [...start]
  for (let at = 0; at < view.byteLength; at += 128) {
    const schedule: Array<bigint> = []
    const word = (t: number): bigint => schedule[t] ?? 0n
    for (let t = 0; t < 80; t++) {
      schedule.push(t < 16 ? view.getBigUint64(at + 8 * t) : (
        (rotateBig(word(t - 2), 19n) ^ rotateBig(word(t - 2), 61n) ^ (word(t - 2) >> 6n)) + word(t - 7) +
        (rotateBig(word(t - 15), 1n) ^ rotateBig(word(t - 15), 8n) ^ (word(t - 15) >> 7n)) + word(t - 16)
      ) & mask)
    }
    let [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n, g = 0n, h = 0n] = state
    for (let t = 0; t < 80; t++) {
      const one = h + (rotateBig(e, 14n) ^ rotateBig(e, 18n) ^ rotateBig(e, 41n)) + ((e & f) ^ (~e & mask & g)) +
        (rounds[t] ?? 0n) + word(t)
      const two = (rotateBig(a, 28n) ^ rotateBig(a, 34n) ^ rotateBig(a, 39n)) + ((a & b) ^ (a & c) ^ (b & c))
      h = g; g = f; f = e; e = (d + one) & mask; d = c; c = b; b = a; a = (one + two) & mask
    }
    for (const [index, word] of [a, b, c, d, e, f, g, h].entries()) state[index] = ((state[index] ?? 0n) + word) & mask
  }
  return state.map((word) => word.toString(16).padStart(16, "0")).join("")
}
