import type { Notice } from "../contract/rows/notice.ts"

/** `1 file`, `2 files`. */
export const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`

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
