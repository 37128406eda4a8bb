import { lines } from "./words.ts"

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === "object" && !Array.isArray(value)

const isEmpty = (value: unknown) =>
  value === null || value === "" || (Array.isArray(value) && value.length === 0) ||
  (isRecord(value) && Object.keys(value).length === 0)

const scalar = (value: unknown): string => typeof value === "string" ? value : JSON.stringify(value)

const inline = (value: unknown): string =>
  isRecord(value)
    ? Object.entries(value).flatMap(([name, one]) => isEmpty(one) ? [] : [`${name}=${inline(one)}`]).join(" ")
    : Array.isArray(value)
    ? value.map(inline).join(", ")
    : scalar(value)

/** Any result as text: a line per field, a line per entry of a list, nothing for what is not there. */
export const plainText = (title: string, result: unknown): string => {
  const field = ([name, value]: readonly [string, unknown]): string | undefined => {
    if (isEmpty(value)) return undefined
    if (Array.isArray(value) && value.some(isRecord)) {
      return lines(
        `${name}:`,
        ...value.map((one) => `- ${inline(one)}`)
      )
    }
    if (typeof value === "string" && value.includes("\n")) return `${name}:\n${value}`
    return `${name}: ${inline(value)}`
  }
  return lines(`${title}: done`, ...(isRecord(result) ? Object.entries(result).map(field) : [inline(result)]))
}
