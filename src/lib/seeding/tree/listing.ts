import { Effect } from "effect"
import type { HostToolMissing } from "../../../contract/errors/errors.ts"
import { table } from "../../../contract/text/names.ts"
import { yieldToEventLoop } from "../../../system/waits/effects.ts"
import { IgnoreRules, TooManyRules } from "../../ignore/ignore-rules.ts"
import { git, type GitRoom } from "../git/confined-git.ts"
import type { GitFailed } from "../model/git-failed.ts"

/** One path in git's output, relative to the directory of the call. */
export interface Listed {
  readonly path: Buffer
  /**
   * `untracked` files are not ignored. `removed` files are missing from the work tree, and `changed` ones differ from the index.
   * `sparse` files are tracked and may be missing from the work tree.
   */
  readonly state: "tracked" | "untracked" | "removed" | "changed" | "sparse"
  /** Mode in the index: 0o100644, 0o100755, 0o120000, 0o160000 for a submodule; 0 for an untracked file. */
  readonly mode: number
  readonly id: string
}

const states = table<Listed["state"]>({
  H: "tracked",
  S: "sparse",
  M: "tracked",
  R: "removed",
  C: "changed",
  "?": "untracked"
})

/** Reads the records of `git ls-files -t -s -z`. */
const parseListing = (output: Buffer): ReadonlyArray<Listed> => {
  const listed: Array<Listed> = []
  for (let from = 0; from < output.length;) {
    const end = output.indexOf(0, from)
    const record = output.subarray(from, end < 0 ? output.length : end)
    from += record.length + 1
    const state = states[String.fromCharCode(record[0] ?? 0)]
    if (state === undefined) continue
    const tab = state === "untracked" ? 1 : record.indexOf(9)
    const [mode = "0", id = ""] = state === "untracked" ? [] : record.toString("latin1", 2, tab).split(" ")
    listed.push({ path: record.subarray(tab + 1), state, mode: Number.parseInt(mode, 8), id })
  }
  return listed
}

/** git's files of a work tree, or of the room's directory `cwd` in it. */
export const listTree = (room: GitRoom): Effect.Effect<ReadonlyArray<Listed>, GitFailed | HostToolMissing> =>
  Effect.map(
    git(room, ["ls-files", "-z", "-t", "-s", "-c", "-o", "-d", "-m", "--exclude-standard"]),
    parseListing
  )

/** Whether git ignores the directory itself. */
export const isIgnored = (room: GitRoom) =>
  Effect.map(git(room, ["check-ignore", "."], { okCodes: [0, 1] }), (output) => output.length > 0)

/**
 * Requested ignored files and repositories, and the patterns with a match. A pattern without a slash matches at any depth. A
 * pattern that matches a directory matches everything in it.
 */
export const listIgnored = (room: GitRoom, patterns: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    if (patterns.length === 0) return { found: [], matched: [] }
    const asked = patterns.map((given) => {
      const whole = given.replace(/\/+$/, "")
      return { given, isDeep: !whole.includes("/"), pattern: whole.replace(/^(\.?\/)+/, "") }
    })
    const pathspecs = asked.flatMap(({ isDeep, pattern }) => {
      const spec = `:(glob)${isDeep ? "**/" : ""}${pattern}`
      return [spec, `${spec}/**`]
    })
    // One call for all patterns: each would read the whole tree.
    const output = yield* git(room, ["ls-files", "-z", "-o", "-i", "--exclude-standard", "--", ...pathspecs])
    const found = splitNul(output)
    const names = found.map((path) => path.toString("latin1"))
    const matched: Array<string> = []
    let maxWork = MAX_MATCH_WORK
    for (const { given, isDeep, pattern } of asked) {
      const rules = new IgnoreRules(maxWork)
      rules.add("", Buffer.from(`${isDeep ? "" : "/"}${pattern.replace(/^[!#]/, "\\$&")}`).toString("latin1"))
      if (asked.length === 1 ? names.length > 0 : isMatched(rules, names)) matched.push(given)
      maxWork = Math.max(0, maxWork - rules.workDone)
      yield* yieldToEventLoop
    }
    return { found: found.map((path): Listed => ({ path, state: "untracked", mode: 0, id: "" })), matched }
  })

/** Maximum work to find the patterns without a match: a second. Beyond it, the other patterns count as matched. */
const MAX_MATCH_WORK = 100_000_000

const isMatched = (rules: IgnoreRules, names: ReadonlyArray<string>) => {
  try {
    return names.some((name) => rules.ignores(name, false))
  } catch (error) {
    if (error instanceof TooManyRules) return true
    throw error
  }
}

/** git's ignored files. A directory with only ignored files is one entry with a slash at the end. */
export const listLeft = (room: GitRoom): Effect.Effect<ReadonlyArray<Buffer>, GitFailed | HostToolMissing> =>
  Effect.map(git(room, ["ls-files", "-z", "-o", "-i", "--exclude-standard", "--directory"]), splitNul)

/** The NUL-terminated byte strings. */
export const splitNul = (bytes: Buffer): ReadonlyArray<Buffer> => {
  const parts: Array<Buffer> = []
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(0, from)
    parts.push(bytes.subarray(from, end < 0 ? bytes.length : end))
    from += parts.at(-1)!.length + 1
  }
  return parts
}
