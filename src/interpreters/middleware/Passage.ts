/**
 * What passes through archives in a replay. A trace says how many bytes passed and not which: the replay takes what is
 * read from an archive now to what is written to another, as the recorded program did.
 */
import { endOfArchive } from "../../domain/layer/TarEncoder.ts"

export class Passage {
  /** Read and not yet written. */
  private pieces: ReadonlyArray<Uint8Array> = []
  private hasRead = false
  private hasWritten = false

  read(piece: Uint8Array): void {
    this.hasRead = true
    if (piece.length > 0) this.pieces = [...this.pieces, piece]
  }

  /** An archive that came from elsewhere, a file or a pipe, is unknown: an empty one stands for it. */
  get isFromElsewhere(): boolean {
    return !this.hasRead
  }

  /** What is to be written now; `last`: all that is left, an archive in any case. */
  take(last: boolean): ReadonlyArray<Uint8Array> {
    const taken = last && !this.hasWritten && this.pieces.length === 0 ? [endOfArchive] : this.pieces
    this.pieces = []
    this.hasWritten = !last && (this.hasWritten || taken.length > 0)
    return taken
  }
}
