/**
 * Reads tar archives as they arrive: a state and a chunk of bytes give events and the next state.
 * Nothing is waited for, opened or changed, so the same decoder serves a socket, a file and a test,
 * and a chunk may end anywhere.
 */
import * as Result from "effect/Result"
import { assembleEntry, type Draft } from "./assembleEntry.ts"
import { type PaxRecords, readPaxRecords } from "./PaxRecords.ts"
import { copyBytes, countOf, joinBytes, type Pieces, withPiece } from "./Pieces.ts"
import { readSparseBlock, readSparseHeader, type SparseReading } from "./SparseMap.ts"
import { damaged, type TarEntry, TarError, type TarFault } from "./TarEntry.ts"
import { blockSize, isZeroBlock, readHeader, type TarHeader, typeflag } from "./TarHeader.ts"
import { beyond, defaultLimits, type TarLimits } from "./TarLimits.ts"
import { decodeName } from "./tarName.ts"

export type TarEvent =
  | { readonly _tag: "Entry"; readonly entry: TarEntry }
  /**
   * `bytes` (a view into the chunk) belong at `offset` of the file; what no Data covers is a hole.
   */
  | { readonly _tag: "Data"; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly _tag: "EntryEnd"; readonly entry: TarEntry }
  /** The archive is complete; bytes after it are ignored. */
  | { readonly _tag: "End" }
  /** The archive can't be read further; the last event. */
  | { readonly _tag: "Failed"; readonly error: TarError }

type Phase =
  | { readonly _tag: "Header" }
  | { readonly _tag: "ZeroBlock" }
  | { readonly _tag: "Extension"; readonly typeflag: number; readonly size: number }
  | { readonly _tag: "Sparse"; readonly draft: Draft; readonly reading: SparseReading }
  | {
      readonly _tag: "Data"
      readonly entry: TarEntry
      readonly fragment: number
      /** Where in the file the next byte belongs, and where the fragment ends. */
      readonly position: number
      readonly end: number
      readonly padding: number
    }
  | { readonly _tag: "Skip"; readonly remaining: number; readonly mayBeMissing: boolean }
  | { readonly _tag: "Done" }

/** A decoder between two chunks. Opaque: made by `start`, used by `step` and `finish`. */
export interface TarDecoder {
  readonly limits: TarLimits
  readonly phase: Phase
  /** The beginning of a block (or of an extension's body) whose end has not arrived. */
  readonly pending: Pieces<number>
  /** Bytes of the archive taken so far. */
  readonly offset: number
  readonly own: PaxRecords | null
  readonly longName: string | null
  readonly longLink: string | null
  /** First header of the entry that is being read. */
  readonly began: number
  readonly entries: number
  readonly expanded: number
}

/** A decoder's state while it works through one chunk; it never leaves `step`. */
type Run = { -readonly [K in keyof TarDecoder]: TarDecoder[K] } & {
  readonly chunk: Uint8Array
  /** Next byte of the chunk. */
  at: number
  /** What `take` has taken: `block` from `start` on. */
  block: Uint8Array
  start: number
  readonly events: Array<TarEvent>
}

const header: Phase = { _tag: "Header" }
const done: Phase = { _tag: "Done" }

/** A decoder at the beginning of an archive. */
export const start = (limits: TarLimits = defaultLimits): TarDecoder => ({
  limits,
  phase: header,
  pending: null,
  offset: 0,
  own: null,
  longName: null,
  longLink: null,
  began: 0,
  entries: 0,
  expanded: 0
})

/**
 * Takes the next bytes of an archive: what is in them, and the decoder for the bytes after them.
 * The bytes of Data events are views into `chunk`; nothing else refers to it, so it may be used
 * again after them.
 */
export const step = (
  decoder: TarDecoder,
  chunk: Uint8Array
): readonly [events: ReadonlyArray<TarEvent>, decoder: TarDecoder] => {
  const run: Run = { ...decoder, chunk, at: 0, block: chunk, start: 0, events: [] }
  while (advance(run)) {
    /* each turn takes bytes or changes the phase */
  }
  const { at: _at, block: _block, chunk: _chunk, events, start: _start, ...next } = run
  next.offset = decoder.offset + chunk.length
  return [events, next]
}

/**
 * What the end of the input means: nothing when the archive was complete (or failed) before, its
 * End when it stops between two entries, else a failure.
 */
export const finish = (decoder: TarDecoder): ReadonlyArray<TarEvent> => {
  const { phase } = decoder
  if (phase._tag === "Done") return []
  const between =
    phase._tag === "Header" ||
    phase._tag === "ZeroBlock" ||
    (phase._tag === "Skip" && phase.mayBeMissing)
  if (between && decoder.pending === null && !isExtended(decoder)) return [{ _tag: "End" }]
  return [{ _tag: "Failed", error: TarError.of(truncated, decoder.offset, entryOf(phase)) }]
}

const truncated: TarFault = {
  kind: "truncated",
  reason: "the archive ends in the middle of an entry",
  hint: "the file is incomplete: copy or download it again"
}

const entryOf = (phase: Phase): string | undefined =>
  phase._tag === "Data" ? phase.entry.path : "draft" in phase ? phase.draft.entry.path : undefined

const isExtended = (decoder: TarDecoder | Run): boolean =>
  decoder.own !== null || decoder.longName !== null || decoder.longLink !== null

/** One turn; false when the chunk is used up or the archive has ended. */
const advance = (run: Run): boolean => {
  const { phase } = run
  switch (phase._tag) {
    case "Header":
      return take(run, blockSize) && readEntryHeader(run)
    case "ZeroBlock":
      return take(run, blockSize) && readSecondZeroBlock(run)
    case "Extension":
      return take(run, phase.size) && readExtension(run, phase.typeflag, phase.size)
    case "Sparse":
      return (
        take(run, blockSize) &&
        continueSparse(
          run,
          phase.draft,
          readSparseBlock(phase.reading, run.block, run.start, run.limits)
        )
      )
    case "Data":
      return readData(run, phase)
    case "Skip":
      return skip(run, phase)
    case "Done":
      return false
  }
}

/** Takes `size` bytes in one piece, or keeps what there is of them and says false. */
const take = (run: Run, size: number): boolean => {
  const have = countOf(run.pending)
  const needed = size - have
  const end = run.at + needed
  if (end > run.chunk.length) {
    if (run.at < run.chunk.length) {
      run.pending = withPiece(run.pending, copyBytes(run.chunk, run.at, run.chunk.length))
    }
    run.at = run.chunk.length
    return false
  }
  if (have === 0) {
    run.block = run.chunk
    run.start = run.at
  } else {
    run.block = joinBytes(withPiece(run.pending, run.chunk.subarray(run.at, end)))
    run.start = 0
    run.pending = null
  }
  run.at = end
  return true
}

/** Where in the archive the block that was taken begins. */
const blockOffset = (run: Run, size: number): number => run.offset + run.at - size

const fail = (run: Run, fault: TarFault, offset: number = run.began, entry?: string): boolean => {
  run.events.push({ _tag: "Failed", error: TarError.of(fault, offset, entry) })
  run.phase = done
  return false
}

const readEntryHeader = (run: Run): boolean => {
  if (!isExtended(run)) run.began = blockOffset(run, blockSize)
  if (run.block[run.start] === 0 && isZeroBlock(run.block, run.start)) {
    if (isExtended(run)) {
      return fail(run, damaged("the archive ends after an extended header, before its entry"))
    }
    run.phase = { _tag: "ZeroBlock" }
    return true
  }
  const read = readHeader(run.block, run.start)
  if (Result.isFailure(read)) return fail(run, read.failure, blockOffset(run, blockSize))
  const found = read.success
  switch (found.typeflag) {
    case typeflag.pax:
    case typeflag.solarisPax:
    case typeflag.longName:
    case typeflag.longLink:
      return beginExtension(run, found)
    case typeflag.globalPax:
      return passGlobal(run, found)
    case typeflag.volume:
      return beginSkip(run, found.size, false)
    default:
      return beginEntry(run, found)
  }
}

const readSecondZeroBlock = (run: Run): boolean => {
  if (!isZeroBlock(run.block, run.start)) {
    return fail(run, damaged("one block of zeros, where none or two are expected"))
  }
  run.events.push({ _tag: "End" })
  run.phase = done
  return false
}

const beginExtension = (run: Run, found: TarHeader): boolean => {
  const isName = found.typeflag === typeflag.longName || found.typeflag === typeflag.longLink
  const limit = isName ? "pathBytes" : "paxBytes"
  // A long name ends with a NUL.
  if (found.size > run.limits[limit] + (isName ? 1 : 0)) {
    return fail(run, beyond(run.limits, limit, `an extended header of ${found.size} bytes`))
  }
  run.phase = { _tag: "Extension", typeflag: found.typeflag, size: found.size }
  return true
}

/**
 * Records for all entries that follow are passed over: a layer's digest has to mean the same tree
 * as in docker and containerd. Go's archive/tar hands such a header out as an entry by itself,
 * applies it to no other, and forgets with it what stood before; both of them ignore that entry.
 */
const passGlobal = (run: Run, { size }: TarHeader): boolean => {
  if (size > run.limits.paxBytes) {
    return fail(run, beyond(run.limits, "paxBytes", `a global pax header of ${size} bytes`))
  }
  forgetExtensions(run)
  return beginSkip(run, size + paddingOf(size), false)
}

const forgetExtensions = (run: Run): void => {
  run.own = null
  run.longName = null
  run.longLink = null
}

const readExtension = (run: Run, flag: number, size: number): boolean => {
  if (flag === typeflag.longName || flag === typeflag.longLink) {
    const nul = run.block.indexOf(0, run.start)
    const end = nul < 0 ? run.start + size : Math.min(nul, run.start + size)
    const name = decodeName(run.block, run.start, end)
    if (flag === typeflag.longName) run.longName = name
    else run.longLink = name
    return beginSkip(run, paddingOf(size), true)
  }
  const read = readPaxRecords(copyBytes(run.block, run.start, run.start + size), run.limits)
  if (Result.isFailure(read)) return fail(run, read.failure)
  run.own = read.success
  return beginSkip(run, paddingOf(size), true)
}

const beginEntry = (run: Run, found: TarHeader): boolean => {
  const assembled = assembleEntry(found, run, run.limits)
  if (Result.isFailure(assembled)) {
    return fail(run, assembled.failure, run.began, run.longName ?? found.name)
  }
  const draft = assembled.success
  forgetExtensions(run)
  if (draft.sparse === null) return beginBody(run, draft)
  return continueSparse(
    run,
    draft,
    draft.sparse === "header"
      ? readSparseHeader(run.block, run.start, draft.stored, run.limits)
      : Result.succeed(draft.sparse)
  )
}

const continueSparse = (
  run: Run,
  draft: Draft,
  read: Result.Result<SparseReading, TarFault>
): boolean => {
  if (Result.isFailure(read)) return fail(run, read.failure, run.began, draft.entry.path)
  const reading = read.success
  if (reading._tag === "Complete") {
    const entry = { ...draft.entry, size: reading.size, sparse: reading.map }
    return beginBody(run, { ...draft, entry, stored: reading.stored })
  }
  run.phase = { _tag: "Sparse", draft, reading }
  return true
}

const beginBody = (run: Run, draft: Draft): boolean => {
  const { entry, isData, stored } = draft
  run.entries++
  run.expanded += entry.size
  if (run.entries > run.limits.entries) {
    return fail(run, beyond(run.limits, "entries", "entries"), run.began, entry.path)
  }
  if (run.expanded > run.limits.expandedBytes) {
    return fail(
      run,
      beyond(run.limits, "expandedBytes", "bytes of all files together"),
      run.began,
      entry.path
    )
  }
  run.events.push({ _tag: "Entry", entry })
  if (stored === 0 || !isData) {
    run.events.push({ _tag: "EntryEnd", entry })
    return beginSkip(run, stored + paddingOf(stored), false)
  }
  const first = entry.sparse?.[0] ?? { offset: 0, length: entry.size }
  run.phase = {
    _tag: "Data",
    entry,
    fragment: 0,
    position: first.offset,
    end: first.offset + first.length,
    padding: paddingOf(stored)
  }
  return true
}

const readData = (run: Run, phase: Phase & { _tag: "Data" }): boolean => {
  const available = run.chunk.length - run.at
  if (available === 0) return false
  const length = Math.min(available, phase.end - phase.position)
  const bytes = run.chunk.subarray(run.at, run.at + length)
  run.events.push({ _tag: "Data", offset: phase.position, bytes })
  run.at += length
  if (phase.position + length < phase.end) {
    run.phase = { ...phase, position: phase.position + length }
    return true
  }
  const next = phase.entry.sparse?.[phase.fragment + 1]
  if (next !== undefined) {
    run.phase = {
      ...phase,
      fragment: phase.fragment + 1,
      position: next.offset,
      end: next.offset + next.length
    }
    return true
  }
  run.events.push({ _tag: "EntryEnd", entry: phase.entry })
  return beginSkip(run, phase.padding, true)
}

/** `mayBeMissing`: some writers leave out the padding after the last entry. */
const beginSkip = (run: Run, remaining: number, mayBeMissing: boolean): boolean => {
  run.phase = remaining === 0 ? header : { _tag: "Skip", remaining, mayBeMissing }
  return true
}

const skip = (run: Run, phase: Phase & { _tag: "Skip" }): boolean => {
  const length = Math.min(run.chunk.length - run.at, phase.remaining)
  run.at += length
  if (length < phase.remaining) {
    run.phase = { ...phase, remaining: phase.remaining - length }
    return false
  }
  run.phase = header
  return true
}

/** Bytes from the end of a body of `size` bytes to the next block. */
const paddingOf = (size: number): number => (blockSize - (size % blockSize)) % blockSize
