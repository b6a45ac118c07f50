/** Truth values as Go's strconv.ParseBool takes them. */
export const readBoolean = (text: string): boolean | undefined =>
  /^(1|t|T|true|TRUE|True)$/.test(text) ? true : /^(0|f|F|false|FALSE|False)$/.test(text) ? false : undefined
