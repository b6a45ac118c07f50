/** Dates in header fields (RFC 9110 §5.6.7): the present form and two older ones, read. */

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

const time = "([0-9]{2}):([0-9]{2}):([0-9]{2})"
const month = `(${months.join("|")})`
const forms = [
  { pattern: new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2}) ${month} ([0-9]{4}) ${time} GMT$`), fields: [1, 2, 3, 4] },
  { pattern: new RegExp(`^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, ([0-9]{2})-${month}-([0-9]{2}) ${time} GMT$`), fields: [1, 2, 3, 4] },
  { pattern: new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${month} ([ 0-9][0-9]) ${time} ([0-9]{4})$`), fields: [2, 1, 6, 3] }
] as const

/** A year of two digits that seems more than 50 years ahead is the last century's. */
const fullYear = (digits: string, now: number): number => {
  if (digits.length === 4) return Number(digits)
  const thisYear = new Date(now).getUTCFullYear()
  const year = thisYear - thisYear % 100 + Number(digits)
  return year > thisYear + 50 ? year - 100 : year
}

/** Milliseconds since the epoch; undefined when the text is not a date or the date does not exist. */
export const readHttpDate = (text: string, now: number): number | undefined => {
  for (const { fields: [dayAt, monthAt, yearAt, timeAt], pattern } of forms) {
    const match = pattern.exec(text)
    if (match === null) continue
    const day = Number(match[dayAt])
    const [hours, minutes, seconds] = [Number(match[timeAt]), Number(match[timeAt + 1]), Number(match[timeAt + 2])]
    const monthIndex = months.indexOf(match[monthAt] ?? "")
    const date = new Date(Date.UTC(fullYear(match[yearAt] ?? "", now), monthIndex, day, hours, minutes, Math.min(59, seconds)))
    const exists = date.getUTCDate() === day && date.getUTCMonth() === monthIndex && hours < 24 && minutes < 60 && seconds <= 60
    return exists ? date.getTime() : undefined
  }
  return undefined
}
