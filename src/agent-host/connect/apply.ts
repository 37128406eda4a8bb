import { createTwoFilesPatch } from "diff"
import { Effect } from "effect"
import { HostFileUnusable } from "../../contract/errors/errors.ts"
import type { FileFailed } from "../../system/files/failure.ts"
import { missingFolder, removeEmptyFolders } from "../../system/files/kept-text.ts"
import { backUp, checkWritable, readKnown, removeKnown, replaceKnown } from "../../system/files/replace.ts"
import type { HostName, HostScope } from "../hosts/agent-host.ts"
import type { FileChange } from "./file-change.ts"
import { keptPath, readRecord, removeRecord, writeRecord } from "./record.ts"

/** A file that was changed, or would be. */
export interface ChangedFile {
  readonly path: string
  readonly change: "create" | "change" | "remove"
  readonly diff: string
  /** File with the earlier content; absent for a new file and a dry run. */
  readonly backup?: string
}

/** The change of a file as a patch. One line of context: files of settings may have secrets. */
export const patchOf = ({ after, known }: FileChange): string =>
  createTwoFilesPatch(known.path, known.path, known.text ?? "", after ?? "", undefined, undefined, { context: 1 })
    .replace(/^Index: .*\n=+\n/, "")

const kindOf = ({ after, known }: FileChange): ChangedFile["change"] =>
  known.text === undefined ? "create" : after === undefined ? "remove" : "change"

export const described = (change: FileChange): ChangedFile => ({
  path: change.known.path,
  change: kindOf(change),
  diff: patchOf(change)
})

const unusable = (host: HostName) => ({ detail, path }: FileFailed) => new HostFileUnusable({ host, path, detail })

/** Mode of new files: settings of a user may get secrets, those of a project are shared. */
const modeFor = (scope: HostScope) => scope === "user" ? 0o600 : 0o644

/** Keeps what a later `disconnect` needs, and drops it with pyro's last change. */
const keep = (state: string, { after, known: { real }, record }: FileChange, missing: string | undefined) =>
  Effect.gen(function*() {
    if (record !== undefined) {
      return yield* writeRecord(state, real, missing === undefined ? record : { ...record, made: missing })
    }
    const made = (yield* readRecord(state, real))?.made
    if (after === undefined && made !== undefined) yield* removeEmptyFolders(real, made)
    yield* removeRecord(state, real)
  })

/**
 * Writes all files of a plan, each after a backup in the state directory. If one fails, the files before get their content again.
 */
export const write = (
  host: HostName,
  { scope, state }: { readonly scope: HostScope; readonly state: string },
  changes: ReadonlyArray<FileChange>
): Effect.Effect<ReadonlyArray<ChangedFile>, HostFileUnusable> =>
  Effect.gen(function*() {
    yield* Effect.forEach(changes, ({ known }) => checkWritable(known))
    const written: Array<ChangedFile> = []
    const undo: Array<Effect.Effect<void, FileFailed>> = []
    const kept: Array<Effect.Effect<void, FileFailed>> = []
    for (const change of changes) {
      const { after, known } = change
      const backup = change.disposable === true ? undefined : yield* backUp(known, keptPath(state, known.real))
      kept.push(keep(state, change, yield* missingFolder(known.real)))
      const put = after === undefined ? removeKnown(known) : replaceKnown(known, after, modeFor(scope))
      yield* Effect.onError(put, () => Effect.ignore(Effect.all(undo, { discard: true })))
      undo.unshift(Effect.flatMap(readKnown(known.real), (now) =>
        known.text === undefined
          ? removeKnown(now)
          : replaceKnown({ ...now, stat: known.stat }, known.text, modeFor(scope))))
      written.push({ ...described(change), ...(backup === undefined ? {} : { backup }) })
    }
    // A directory goes after the directories in it.
    yield* Effect.all(kept.reverse(), { discard: true })
    return written
  }).pipe(Effect.mapError(unusable(host)), Effect.uninterruptible)
