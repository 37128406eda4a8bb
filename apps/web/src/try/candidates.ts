import { patchLimits } from "../../../../src/contract/rows/workspace-patch.ts"
import type { Candidate } from "../../../../src/contract/rows/workspace-try-fields.ts"
import { MOST_CANDIDATES } from "../../../../src/contract/rows/workspace-try-fields.ts"
import { isFreeName, nameOfCommand, nameOfFile } from "../../../../src/contract/rows/workspace-try-names.ts"
import { bytesText } from "../parts/format.ts"

/** A way to try, as the person gives it: a command that is typed, or a file that the browser read. */
export type Way =
  | { readonly _tag: "command"; readonly key: number; readonly script: string }
  | { readonly _tag: "patch"; readonly key: number; readonly file: string; readonly patch: string }

/** Fields that the person fills in. */
export interface Request {
  readonly ways: ReadonlyArray<Way>
  readonly check: string
  readonly keep: string
  /** Number as typed. Empty: the daemon decides. */
  readonly atOnce: string
  readonly stopAtFirstPass: boolean
}

export const emptyRequest: Request = {
  ways: [{ _tag: "command", key: 0, script: "" }],
  check: "",
  keep: "none",
  atOnce: "",
  stopAtFirstPass: false
}

const isGiven = (way: Way) => way._tag === "patch" || way.script.trim() !== ""

/** A name by the position, which no file or command gives. */
const numbered = (at: number, words: ReadonlyArray<string>) => {
  let name = `candidate-${at + 1}`
  while (words.includes(name)) name += "-x"
  return name
}

/** The candidates with the names that the command line would give them. Empty commands are left out. */
export const candidatesOf = ({ ways }: Request): ReadonlyArray<Candidate & { readonly name: string }> => {
  const given = ways.filter(isGiven)
  const words = given.map((way) => way._tag === "patch" ? nameOfFile(way.file) : nameOfCommand(way.script))
  return given.map((way, at) => ({
    name: isFreeName(words[at]!, words) ? words[at]! : numbered(at, words),
    ...(way._tag === "patch" ? { patch: way.patch } : { command: way.script })
  }))
}

/** Why a request cannot be tried, as a sentence. Undefined if it can. */
export const refusal = (request: Request): string | undefined => {
  const candidates = candidatesOf(request)
  const characters = candidates.reduce((sum, { command = "", patch = "" }) => sum + command.length + patch.length, 0)
  return candidates.length === 0
    ? "Give a command or a patch to try."
    : candidates.length > MOST_CANDIDATES
    ? `A try has at most ${MOST_CANDIDATES} candidates.`
    : characters > patchLimits.bytes
    ? `The candidates have more than ${bytesText(patchLimits.bytes)} together.`
    : candidates.some(({ command = "" }) => command.length > 65_536)
    ? "A command has at most 65536 characters. Give a longer script as a patch."
    : undefined
}

/** The text of a patch file. Fails if the file is too large or no UTF-8. */
export const readPatch = async (file: File): Promise<string> => {
  if (file.size > patchLimits.bytes) throw new Error(`${file.name} has more than ${bytesText(patchLimits.bytes)}.`)
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await file.arrayBuffer())
  } catch {
    throw new Error(`${file.name} cannot be read as UTF-8.`)
  }
}
