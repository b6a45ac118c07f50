/** Times as ps writes them (ps(1), standard format specifiers). */

const two = (value: number): string => String(value).padStart(2, "0")

const day = 86_400

/** A CPU time: `[DD-]hh:mm:ss`. */
export const cpuTime = (seconds: number): string => {
  const whole = Math.floor(seconds)
  const days = whole >= day ? `${two(Math.floor(whole / day))}-` : ""
  return `${days}${two(Math.floor(whole / 3600) % 24)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`
}

/** A CPU time as BSD's ps has it: `mmm:ss`. */
export const shortCpuTime = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${two(Math.floor(seconds) % 60)}`

/** Time since the start: `[[DD-]hh:]mm:ss`. */
export const elapsedTime = (seconds: number): string =>
  seconds >= 3600 ? cpuTime(seconds) : `${two(Math.floor(seconds / 60))}:${two(Math.floor(seconds) % 60)}`

/** A start, and the moment it is seen from, as dates whose UTC fields are those of the host's clock. */
export interface Start {
  readonly at: Date
  readonly now: Date
}

const clock = ({ at }: Start): string => `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`

const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

const month = ({ at }: Start): string => months[at.getUTCMonth()] ?? ""

const fresh = ({ at, now }: Start): boolean => now.getTime() - at.getTime() < day * 1000

/** The time of a start today, the day of one this year, else the year. */
export const startTime = (start: Start): string => {
  const { at, now } = start
  if (at.getUTCFullYear() !== now.getUTCFullYear()) return String(at.getUTCFullYear())
  const today = at.getUTCMonth() === now.getUTCMonth() && at.getUTCDate() === now.getUTCDate()
  return today ? clock(start) : `${month(start)}${two(at.getUTCDate())}`
}

const monthAndDay = (start: Start): string => `${month(start)} ${two(start.at.getUTCDate())}`

/** The time of a start within the last 24 hours, else its day. */
export const startSeconds = (start: Start): string =>
  fresh(start) ? `${clock(start)}:${two(start.at.getUTCSeconds())}` : monthAndDay(start)

/** As `startSeconds`, without seconds. */
export const startMinutes = (start: Start): string => fresh(start) ? clock(start) : monthAndDay(start)

/** As ctime(3). */
export const startInFull = (start: Start): string => {
  const { at } = start
  const date = String(at.getUTCDate()).padStart(2)
  const time = `${clock(start)}:${two(at.getUTCSeconds())}`
  return `${weekdays[at.getUTCDay()]} ${month(start)} ${date} ${time} ${at.getUTCFullYear()}`
}
