/** `--device-read-bps PATH:RATE` and the other limits of single block devices (docker/cli, opts/throttledevice.go). */
import * as Result from "effect/Result"
import type { ThrottleDevice, WeightDevice } from "../../container/ContainerConfig.ts"
import { parseByteSize } from "../ByteSize.ts"
import { parseInteger } from "../Integer.ts"
import { refuse, type TextError } from "../TextError.ts"

const splitDevice = (
  operation: string, text: string, cure: string
): Result.Result<{ readonly path: string; readonly value: string }, TextError> => {
  const colon = text.indexOf(":")
  if (colon <= 0) return refuse(operation, text, `bad format: ${text}`, cure)
  const path = text.slice(0, colon)
  return path.startsWith("/dev/")
    ? Result.succeed({ path, value: text.slice(colon + 1) })
    : refuse(operation, text, `bad format for device path: ${text}`, cure)
}

/** `/dev/sda:1mb` → bytes per second. */
export const parseThrottleBytes = (text: string): Result.Result<ThrottleDevice, TextError> => {
  const operation = "parse device rate"
  const cure = "write DEVICE:NUMBER[UNIT], such as /dev/sda:1mb"
  return Result.flatMap(splitDevice(operation, text, cure), ({ path, value }) => {
    const rate = parseByteSize(value)
    return Result.isSuccess(rate) ? Result.succeed({ path, rate: rate.success }) : refuse(
      operation, text,
      `invalid rate for device: ${text}. The correct format is <device-path>:<number>[<unit>]. ` +
        "Number must be a positive integer. Unit is optional and can be kb, mb, or gb",
      cure
    )
  })
}

/** `/dev/sda:1000` → operations per second. */
export const parseThrottleOperations = (text: string): Result.Result<ThrottleDevice, TextError> => {
  const operation = "parse device rate"
  const cure = "write DEVICE:NUMBER, such as /dev/sda:1000"
  return Result.flatMap(splitDevice(operation, text, cure), ({ path, value }) => {
    const rate = parseInteger(value, { operation: "rate", base: 10, signed: false })
    return Result.isSuccess(rate) ? Result.succeed({ path, rate: rate.success }) : refuse(
      operation, text,
      `invalid rate for device: ${text}. The correct format is <device-path>:<number>. ` +
        "Number must be a positive integer",
      cure
    )
  })
}

/** `/dev/sda:200`: a weight from 10 to 1000, or 0 for none. */
export const parseWeightDevice = (text: string): Result.Result<WeightDevice, TextError> => {
  const operation = "parse device weight"
  const cure = "write DEVICE:WEIGHT with a weight from 10 to 1000"
  return Result.flatMap(splitDevice(operation, text, cure), ({ path, value }) => {
    const weight = parseInteger(value, { operation: "weight", base: 10, signed: false, maximum: 1000n })
    return Result.isSuccess(weight) && (weight.success === 0 || weight.success >= 10)
      ? Result.succeed({ path, weight: weight.success })
      : refuse(operation, text, `invalid weight for device: ${text}`, cure)
  })
}

/** `--blkio-weight`: 10 to 1000, or 0 for none; the range is the daemon's rule (moby, daemon_unix.go). */
export const parseBlockWeight = (text: string): Result.Result<number, TextError> =>
  Result.flatMap(
    parseInteger(text, { operation: "block IO weight", signed: false, maximum: 65535n }),
    (weight) => weight === 0 || (weight >= 10 && weight <= 1000) ? Result.succeed(weight) : refuse(
      "parse block IO weight", text, "range of blkio weight is from 10 to 1000", "use 0 to say nothing"
    )
  )
