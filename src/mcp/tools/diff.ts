import { Effect, Schema } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import { lazy } from "../../contract/rows/operation.ts"
import type { DiffFile, DiffResult } from "../../contract/rows/workspace-diff.ts"
import { count } from "../../contract/text/count.ts"
import { snakeStruct } from "../../contract/text/snake.ts"
import { costOf, headOf, MAX_TEXT_CHARACTERS } from "../bounded.ts"
import type { Tool } from "../request.ts"
import { bytes, lines } from "../words.ts"

/** A binary file's part of a patch: two encoded contents in lines without spaces. */
const BINARY =
  /^GIT binary patch\n(?:(?:literal|delta) (\d+)\n(?:\S+(?:\n|$(?![^])))*\n?)?(?:(?:literal|delta) (\d+)\n(?:\S+(?:\n|$(?![^])))*\n?)?/gm

/**
 * A patch with a note in place of each binary content, which would cost thousands of tokens. Lines of a text file's part begin with another
 * character than a binary's.
 */
export const withoutBinaries = (patch: string): string =>
  patch.replace(BINARY, (_, after?: string, before?: string) => {
    // A deleted file has nothing after the change.
    const size = Number(after ?? 0) || Number(before ?? 0)
    return `(binary, ${bytes(size)})\n`
  })

/** Result of `workspace_diff` and `workspace_compare`: the first files, and a page of the patch. */
const DiffPage = lazy(() =>
  snakeStruct({
    filesChanged: Schema.Int,
    additions: Schema.Int,
    deletions: Schema.Int,
    ignoredCount: Schema.Int,
    digest: Schema.NullOr(Schema.String),
    files: Schema.Array(Schema.Struct({
      path: Schema.String,
      from: Schema.NullOr(Schema.String),
      status: Schema.String,
      additions: Schema.Int,
      deletions: Schema.Int,
      binary: Schema.Boolean
    })),
    patch: Schema.NullOr(Schema.String),
    truncated: Schema.Boolean,
    nextCursor: Schema.NullOr(Schema.String)
  })
)
type DiffPage = ReturnType<typeof DiffPage>["Type"]

/** Maximum bytes of a patch in pages. An export has the whole patch. */
const MAX_PATCH_BYTES = 4_194_304

/** Characters of the patch in a result: files and counts stand beside it. */
const PATCH_CHARACTERS = 5_000

/** Files named in a result beside a patch. */
const MAX_FILES = 25

/** A page of a patch: whole files where they fit, else whole lines. */
const cutPatch = (patch: string, start: number): { readonly text: string; readonly end: number } => {
  const rest = patch.slice(start, start + MAX_TEXT_CHARACTERS)
  if (start + rest.length === patch.length && costOf(rest) <= PATCH_CHARACTERS) return { text: rest, end: patch.length }
  const head = headOf(rest, PATCH_CHARACTERS)
  const border = head.lastIndexOf("\ndiff --git ") + 1
  const text = border > 0 ? head.slice(0, border) : head
  return { text, end: start + text.length }
}

/** A cursor holds for the diff that it was given with: its digest is part of it. */
const startOf = (cursor: unknown, digest: string): Effect.Effect<number, InvalidRequest> => {
  if (cursor === undefined) return Effect.succeed(0)
  const [, at, of] = /^(\d{1,9})-([0-9a-f]{0,12})$/.exec(String(cursor)) ?? []
  if (at === undefined) return refuse("must be the next_cursor of the same call")
  return of === digest ? Effect.succeed(Number(at)) : refuse("the diff has changed since; ask again without a cursor")
}

const refuse = (detail: string) => Effect.fail(new InvalidRequest({ field: "cursor", detail }))

const entryOf = ({ additions = 0, binary = false, deletions = 0, from, path, status }: DiffFile) => ({
  path,
  from: from ?? null,
  status,
  additions,
  deletions,
  binary
})

/** A requested path that exists on neither side. */
const missingEntry = (path: string) => ({
  path,
  from: null,
  status: "no_such_path",
  additions: 0,
  deletions: 0,
  binary: false
})

const fileLine = ({ additions, binary, deletions, from, path, size, status, tooLarge }: DiffFile) =>
  `${status} ${from === undefined ? path : `${from} => ${path}`}` +
  (status === "mounted"
    ? " over: not compared, unmount it and ask again"
    : tooLarge === true
    ? " (too large to compare)"
    : binary === true
    ? ` (binary, ${bytes(size)})`
    : ` +${additions ?? 0} -${deletions ?? 0}`)

/** Makes the page of a patch from a cursor on. */
const diffPage = (
  diff: DiffResult,
  cursor: unknown,
  words: { readonly differ: (files: number) => string; readonly whole: string }
) =>
  Effect.gen(function*() {
    const digest = diff.digest?.replace(/^sha256:/, "").slice(0, 12) ?? ""
    const start = yield* startOf(cursor, digest)
    const patch = diff.patch === undefined ? undefined : withoutBinaries(diff.patch)
    const page = patch === undefined ? undefined : cutPatch(patch, start)
    const nextCursor = page === undefined || page.end >= patch!.length ? null : `${page.end}-${digest}`
    const { summary: { additions = 0, deletions = 0, files: filesChanged } } = diff
    const named = diff.files.slice(0, patch === undefined ? 2 * MAX_FILES : MAX_FILES)
    const unnamed = filesChanged - named.length
    const missing = (diff.missingPaths ?? []).slice(0, MAX_FILES)
    const result: DiffPage = {
      filesChanged,
      additions,
      deletions,
      ignoredCount: diff.ignoredCount,
      digest: diff.digest ?? null,
      files: [...named.map(entryOf), ...missing.map(missingEntry)],
      patch: page?.text ?? null,
      truncated: diff.truncated === true || nextCursor !== null || unnamed > 0,
      nextCursor
    }
    const text = lines(
      filesChanged === 0
        ? missing.length === 0 && `nothing ${words.differ(1)}`
        : `${count(filesChanged, "file")} ${words.differ(filesChanged)}, +${additions} -${deletions}`,
      ...missing.map((path) => `no such path: ${path}`),
      ...named.map(fileLine),
      unnamed > 0 && `… and ${count(unnamed, "file")} more`,
      diff.ignoredCount > 0 &&
        `${count(diff.ignoredCount, "ignored file")} left out (include_ignored)${
          diff.defaultRules === undefined ? "" : `, also by pyro's list: ${diff.defaultRules.join(", ")}`
        }`,
      diff.nestedCount !== undefined &&
        `new files of ${count(diff.nestedCount, "nested repo")} made here left out (include_ignored): ${
          (diff.nested ?? []).slice(0, 5).join(", ")
        }`,
      diff.digest !== undefined && `digest ${diff.digest}`,
      diff.lossy === true && `[bytes that are not UTF-8 are shown as U+FFFD; ${words.whole}]`,
      page?.text,
      nextCursor !== null && `[more of the patch: call again with cursor "${nextCursor}"]`,
      nextCursor === null && diff.truncated === true && `[the patch is longer; ${words.whole}]`
    )
    return { result, text }
  })

export const diffTool: Tool<"workspace.diff", DiffPage> = {
  result: DiffPage,
  perform: ({ has, own, payload, pyro }) =>
    Effect.flatMap(
      pyro.workspace.diff({ ...payload, maxBytes: MAX_PATCH_BYTES }),
      (diff) =>
        diffPage(diff, own["cursor"], {
          differ: () => "changed",
          whole: has("workspace_export") ? "workspace_export with patch: true writes the whole patch" : "ask by paths"
        })
    )
}

export const compareTool: Tool<"workspace.compare", DiffPage> = {
  result: DiffPage,
  perform: ({ own, payload, pyro }) =>
    Effect.flatMap(
      pyro.workspace.compare({ ...payload, maxBytes: MAX_PATCH_BYTES }),
      (diff) =>
        diffPage(diff, own["cursor"], {
          differ: (files) => files === 1 ? "differs" : "differ",
          whole: "compare by paths"
        })
    )
}
