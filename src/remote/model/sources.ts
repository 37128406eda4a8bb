import { Effect, Option, Schema } from "effect"
import * as path from "node:path"
import type { NoSpace, StateDirectoryUnusable } from "../../contract/errors/errors.ts"
import { readJson, writeJsonAtomic } from "../../system/files/atomic-file.ts"
import { ensureFolder, removeFile } from "../../system/files/entries.ts"
import { toHostErrorOf } from "../../system/files/failure.ts"

/** The place of these records, and whose they are. */
export interface SourcesOf {
  readonly stateDir: string
  readonly context: { readonly name: string; readonly url: string }
}

/** The directory of this computer that a workspace was seeded from. The other machine never gets its path. */
const Stored = Schema.Struct({
  format: Schema.Literal(1),
  /** Address of the context at that time: a context of the same name may be another machine now. */
  url: Schema.String,
  path: Schema.String
})

/** The other machine names the workspace, and its name becomes one of a file. */
const isWorkspaceId = (id: string) => /^ws-[0-9a-z]{1,32}$/.test(id)

const folderOf = ({ context, stateDir }: SourcesOf) => path.join(stateDir, "context-sources", context.name)
const fileOf = (of: SourcesOf, workspaceId: string) => path.join(folderOf(of), `${workspaceId}.json`)

/** Remembers from which directory of this computer a workspace was seeded. */
export const rememberSource = (
  of: SourcesOf,
  workspaceId: string,
  directory: string
): Effect.Effect<void, NoSpace | StateDirectoryUnusable> =>
  isWorkspaceId(workspaceId)
    ? Effect.andThen(
      ensureFolder(folderOf(of)),
      writeJsonAtomic(fileOf(of, workspaceId), Stored, { format: 1, url: of.context.url, path: directory })
    ).pipe(Effect.mapError(toHostErrorOf(folderOf(of))))
    : Effect.void

/** The directory that a workspace was seeded from, if this computer has seeded the workspace. */
export const sourceOf = (
  of: SourcesOf,
  workspaceId: string
): Effect.Effect<string | undefined, NoSpace | StateDirectoryUnusable> =>
  isWorkspaceId(workspaceId)
    ? Effect.map(
      Effect.mapError(readJson(fileOf(of, workspaceId), Stored), toHostErrorOf(folderOf(of))),
      (found) => Option.isSome(found) && found.value.url === of.context.url ? found.value.path : undefined
    )
    : Effect.succeed(undefined)

/** Forgets the directory of a workspace that is gone. */
export const forgetSource = (
  of: SourcesOf,
  workspaceId: string
): Effect.Effect<void, NoSpace | StateDirectoryUnusable> =>
  isWorkspaceId(workspaceId)
    ? Effect.mapError(removeFile(fileOf(of, workspaceId)), toHostErrorOf(folderOf(of)))
    : Effect.void
