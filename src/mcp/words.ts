import type { Notice } from "../contract/rows/notice.ts"
import { rowText } from "../contract/text/one-line.ts"
import { readableText } from "../contract/text/printable.ts"
import { isFields } from "./handshake/request-shape.ts"

export const seconds = (ms: number): string => ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`

export const bytes = (number: number): string =>
  number < 1_024
    ? `${number} B`
    : number < 1_048_576
    ? `${(number / 1_024).toFixed(1)} KiB`
    : `${(number / 1_048_576).toFixed(1)} MiB`

/** Text of a notice, with its progress. */
export const noticeText = ({ fraction, message }: Notice): string =>
  fraction === undefined ? message : `${message}, ${Math.round(100 * fraction)} %`

/** Joins lines and leaves out empty ones. */
export const lines = (...all: ReadonlyArray<string | undefined | false>): string =>
  all.filter((line): line is string => typeof line === "string" && line !== "").join("\n")

/** A call in a model's notation. */
export const callText = (tool: string, args: Readonly<Record<string, unknown>>): string =>
  `${tool} ${JSON.stringify(args)}`

const isEmpty = (value: unknown) =>
  value === null || value === "" || (Array.isArray(value) && value.length === 0) ||
  (isFields(value) && Object.keys(value).length === 0)

/** A value in one line. Names that differ look different, and no text looks like another field or entry. */
const inline = (value: unknown): string =>
  typeof value === "string"
    ? rowText(value)
    : isFields(value)
    ? Object.entries(value).flatMap(([name, one]) => isEmpty(one) ? [] : [`${name}=${inline(one)}`]).join(" ")
    : Array.isArray(value)
    ? value.map(inline).join(", ")
    : JSON.stringify(value)

/** Any result as text: a line per field, a line per entry of a list. Empty fields are left out. */
export const plainText = (title: string, result: unknown): string => {
  const field = ([name, value]: readonly [string, unknown]): string | undefined => {
    if (isEmpty(value)) return undefined
    if (Array.isArray(value) && value.some(isFields)) {
      return lines(
        `${name}:`,
        ...value.map((one) => `- ${inline(one)}`)
      )
    }
    if (typeof value === "string" && value.includes("\n")) return `${name}:\n${value}`
    return `${name}: ${typeof value === "string" ? value : inline(value)}`
  }
  return lines(`${title}: done`, ...(isFields(result) ? Object.entries(result).map(field) : [inline(result)]))
}

/** Maximum characters of a name that a message repeats. */
const MAX_NAME_CHARACTERS = 100

/** A name of the client's as a message repeats it. */
export const repeated = (name: string, maxCharacters = MAX_NAME_CHARACTERS): string =>
  readableText(name.length <= maxCharacters ? name : `${name.slice(0, maxCharacters)}…`)
