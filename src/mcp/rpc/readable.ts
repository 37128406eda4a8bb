import { printable } from "../../contract/text/printable.ts"

/** Longest text of an error, in characters. */
const MAX_CHARACTERS = 500

interface Issue {
  readonly path: ReadonlyArray<string | number>
  readonly message: string
}

const isIssue = (value: unknown): value is Issue => {
  const { message, path } = (value ?? {}) as Partial<Issue>
  return Array.isArray(path) && typeof message === "string"
}

/** The findings that the SDK's schemas print as JSON, with or without words before. */
const DUMP = /\[\s*\{/

const issuesOf = (json: string): ReadonlyArray<Issue> | undefined => {
  try {
    const found: unknown = JSON.parse(json)
    return Array.isArray(found) && found.every(isIssue) ? found : undefined
  } catch {
    return undefined
  }
}

/** The findings in a message of the SDK; undefined if it has none. */
export const findingsOf = (message: string): { readonly text: string; readonly before: string } | undefined => {
  const at = message.search(DUMP)
  const issues = at < 0 ? undefined : issuesOf(message.slice(at))
  if (issues === undefined) return undefined
  return {
    before: message.slice(0, at),
    text: issues.map(({ message, path }) =>
      `${path.join(".")}: ${
        message.replace(/^Invalid input: /, "").replace(", received undefined", ", and is missing")
      }`
    ).join("; ")
  }
}

/** A message of the SDK as one short line. */
export const readable = (message: string): string => {
  const findings = findingsOf(message)
  const text = printable(findings === undefined ? message : `${findings.before}${findings.text}`).replaceAll("\n", " ")
  return text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS - 1)}…`
}
