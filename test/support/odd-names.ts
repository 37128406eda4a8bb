/** Names that plain objects treat specially. */
export const ODD_NAMES = ["__proto__", "constructor", "toString", "hasOwnProperty", "toJSON"] as const

/** A JSON object that has each of them. */
export const oddNames = (value: string): Record<string, string> =>
  JSON.parse(`{${ODD_NAMES.map((name) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`)
