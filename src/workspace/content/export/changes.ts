import { Effect } from "effect"
import { type ExportRefused, ofField } from "../../../contract/errors/errors.ts"
import type { ExportPayload } from "../../../contract/rows/workspace-export.ts"
import { pathText } from "../../../contract/text/path-text.ts"
import { boundedPatch } from "../../../lib/exporting/patch.ts"
import { exclusion, tooManyGlobs } from "../../../lib/exporting/tree.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import { TooManyRules } from "../../../lib/ignore/ignore-rules.ts"
import type { Change } from "../../../lib/patch/model/patch.ts"
import { refuseSecretIn } from "../../../lib/redaction/redact.ts"
import type { SecretSet } from "../../../lib/redaction/secrets.ts"
import { readPushed } from "../../../lib/seeding/model/pushed.ts"
import { raw } from "../../../system/files/folded-name.ts"
import { type Trees, workspaceTrees } from "../../life/guest/baseline.ts"
import { collectChanges, wholeChanges } from "../diff/changes.ts"
import { convertedPaths } from "../diff/converted.ts"
import { changesOptions } from "../diff/diff.ts"
import { emptyNote, leftOutNotes } from "./notes.ts"
import type { Guarded } from "./path.ts"

/** The part of a request that says which changes are read. */
export type ChangesPayload = Pick<ExportPayload, "apply" | "exclude" | "includeIgnored" | "patch" | "path" | "paths">

/** A guest, and the trees that it compares. */
interface Compared {
  readonly channel: GuestChannel
  /** @default the trees of every guest */
  readonly trees?: Trees | undefined
}

/** Fails if a patch of the changes would have a secret, in a name, in old content or in new content. */
const refuseSecretsIn = (secrets: SecretSet | undefined, changes: ReadonlyArray<Change>) =>
  secrets === undefined ? Effect.void : Effect.forEach(changes, ({ after, before, from, path }) =>
    Effect.forEach(
      [path, from, before?.content, after?.content],
      (bytes) => bytes === undefined ? Effect.void : refuseSecretIn(secrets, pathText(path), bytes),
      { discard: true }
    ), { discard: true })

/** Changes at paths that no glob excludes; a rename counts with both its names. */
const withoutExcluded = (
  changes: ReadonlyArray<Change>,
  globs: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<Change>, ExportRefused> =>
  Effect.try({
    try: () => {
      const excluded = exclusion(globs)
      return changes.filter(({ from, path }) => ![path, from ?? path].some((one) => excluded(raw(one), false)))
    },
    catch: (error) => {
      if (!(error instanceof TooManyRules)) throw error
      return tooManyGlobs
    }
  })

const exportedPaths = ({ path, paths }: ChangesPayload) => path === "" ? paths : [path, ...paths]

/** Reads the diff of a workspace, or a path's part of it. `folder` is the workspace's own, which has the pushed files. */
export const readChanges = (
  { channel, trees }: Compared,
  folder: string,
  payload: ChangesPayload,
  { secrets }: Guarded
) =>
  Effect.gen(function*() {
    const options = yield* changesOptions({
      paths: exportedPaths(payload),
      includeIgnored: payload.includeIgnored,
      verified: false
    }).pipe(Effect.mapError((refused) => ofField(refused, "path")))
    const pushed = yield* readPushed(folder)
    const found = yield* collectChanges(channel, { ...options, pushed, trees })
    const changes = yield* withoutExcluded(yield* wholeChanges(found), payload.exclude)
    const isEmpty = changes.length === 0
    const hints = [
      ...leftOutNotes(found),
      ...(isEmpty ? [emptyNote(payload, pushed, { ...found, paths: options.paths })] : [])
    ]
    yield* refuseSecretsIn(secrets, changes)
    if (payload.apply) return { changes, hints, converted: [], patch: undefined, pushed }
    const patch = yield* boundedPatch(changes)
    const converted = yield* convertedPaths({ channel, pushed, trees: trees ?? workspaceTrees }, changes)
    return { changes, hints, converted, patch, pushed }
  })
