import { Effect } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import type { CliExtra, CliSurface } from "../../contract/rows/operation.ts"
import {
  isFreeName,
  nameOfCommand,
  nameOfFile,
  PATCH_FILE,
  SCRIPT_FILE
} from "../../contract/rows/workspace-try-names.ts"
import { named } from "../../contract/text/names.ts"
import { strictText } from "../../contract/text/utf8.ts"
import { filesIn } from "../terminal/files.ts"
import { Terminal } from "../terminal/Terminal.ts"
import type { Typed } from "./parser.ts"

/** Bytes of all candidates together: a request has to fit a message. */
const MAX_BYTES = 8 * 1024 * 1024

/** JSON of a candidate. Its Schema judges it. */
type Raw = Readonly<Record<string, unknown>>

/** Candidates of the command line with the words of their commands as names, where these are names and no other has them. */
const withNames = (candidates: ReadonlyArray<Raw>): ReadonlyArray<Raw> => {
  const words = candidates.map(({ command, name }) =>
    name === undefined && typeof command === "string" ? nameOfCommand(command) : name
  )
  return candidates.map((one, at) => {
    const name = words[at]
    return one["name"] === undefined && typeof name === "string" && isFreeName(name, words) ? { name, ...one } : one
  })
}

/** Each line is an object, or all of it is a list. */
const listed = (text: string): ReadonlyArray<unknown> => {
  try {
    const all: unknown = JSON.parse(text)
    return Array.isArray(all) ? all as ReadonlyArray<unknown> : [all]
  } catch {
    return text.split("\n").filter((line) => line.trim() !== "").map((line): unknown => JSON.parse(line))
  }
}

const isObject = (one: unknown): one is Raw => typeof one === "object" && one !== null && !Array.isArray(one)

/** Fills the field `candidates` from files of the host and from commands, in the order of the flags' kinds. */
export const fillCandidates = (
  { cli }: { readonly cli: CliSurface },
  typed: Typed
): Effect.Effect<Typed, InvalidRequest, Terminal> =>
  Effect.gen(function*() {
    const flags = Object.entries(cli.extras ?? {}).flatMap(([flag, extra]) =>
      extra._tag === "candidates" ? [[flag, extra] as const] : []
    )
    if (flags.length === 0) return typed
    const candidates: Array<Raw> = []
    for (const [flag, { from }] of flags) {
      for (const word of typed.lists?.[flag] ?? []) candidates.push(...yield* readers[from](flag, word))
    }
    if (candidates.length === 0) {
      return yield* new InvalidRequest({
        field: "",
        detail: `nothing to try; give one of ${flags.map(([flag]) => `--${flag}`).join(", ")}`
      })
    }
    const bytes = candidates.reduce((sum, one) => sum + bytesOf(one), 0)
    if (bytes > MAX_BYTES) {
      return yield* new InvalidRequest({
        field: "",
        detail: `the candidates have ${bytes} bytes together, and at most ${MAX_BYTES} go into one try`
      })
    }
    return { ...typed, raw: named([...Object.entries(typed.raw), ["candidates", withNames(candidates)]]) }
  })

const bytesOf = ({ command, patch }: Raw) =>
  [command, patch].reduce((sum: number, text) => sum + (typeof text === "string" ? Buffer.byteLength(text) : 0), 0)

const refused = (flag: string) => (detail: string) => new InvalidRequest({ field: `--${flag}`, detail })

const readText = (flag: string, file: string) =>
  Effect.gen(function*() {
    const { readFile } = yield* Terminal
    const text = strictText(yield* Effect.mapError(readFile(file, MAX_BYTES), ({ detail }) => refused(flag)(detail)))
    return text ?? (yield* refused(flag)(`${file} is not UTF-8`))
  })

const fromFile = (way: "patch" | "command") => (flag: string, file: string) =>
  Effect.map(readText(flag, file), (text): ReadonlyArray<Raw> => [{ name: nameOfFile(file), [way]: text }])

const fromPatch = fromFile("patch")
const fromScript = fromFile("command")

const fromDirectory = (flag: string, directory: string, files: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const found = files.filter((file) => PATCH_FILE.test(file) || SCRIPT_FILE.test(file))
    if (found.length === 0) return yield* refused(flag)(`${directory} has no *.patch, *.diff or *.sh file`)
    const each = yield* Effect.forEach(
      found,
      (file) => PATCH_FILE.test(file) ? fromPatch(flag, file) : fromScript(flag, file)
    )
    return each.flat()
  })

const fromPlace = (flag: string, place: string) =>
  Effect.gen(function*() {
    const files = filesIn(place)
    if (files !== undefined) return yield* fromDirectory(flag, place, files)
    const text = yield* readText(flag, place)
    const all = yield* Effect.try({
      try: () => listed(text),
      catch: () => refused(flag)(`${place} is neither a list in JSON nor one object in each line`)
    })
    const objects = all.filter(isObject)
    return objects.length === all.length
      ? objects
      : yield* refused(flag)(`${place}: each candidate must be an object with "name", and "patch" or "command"`)
  })

const readers: Readonly<
  Record<
    Extract<CliExtra, { readonly _tag: "candidates" }>["from"],
    (flag: string, word: string) => Effect.Effect<ReadonlyArray<Raw>, InvalidRequest, Terminal>
  >
> = {
  place: fromPlace,
  patch: fromPatch,
  command: (_, command) => Effect.succeed([{ command }])
}
