/** When an image was made, for lists and filters: nanoseconds since the epoch. */
import type { ImageRecord } from "../../domain/image/ImageRecord.ts"
import { readTimestamp } from "../../domain/text/Timestamp.ts"

export const createdAt = (record: ImageRecord): bigint => readTimestamp(record.createdAt) ?? 0n
