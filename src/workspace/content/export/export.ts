import { Effect, Stream } from "effect"
import { ExportRefused, InvalidRequest, ofField } from "../../../contract/errors/errors.ts"
import { call } from "../../../contract/errors/next-step.ts"
import { notice } from "../../../contract/rows/notice.ts"
import type { ExportPayload } from "../../../contract/rows/workspace-export.ts"
import { pathText } from "../../../contract/text/path-text.ts"
import { callerProject } from "../../../contract/wire/caller-project.ts"
import { TooManyRules } from "../../../lib/ignore/ignore-rules.ts"
import type { Change } from "../../../lib/patch/model/patch.ts"
import { refuseSecretIn } from "../../../lib/redaction/redact.ts"
import type { SecretSet } from "../../../lib/redaction/secrets.ts"
import { readPushed } from "../../../lib/seeding/model/pushed.ts"
import { writingPlace } from "../../../system/files/caller-places.ts"
import { sha256Hex } from "../../../system/files/digest.ts"
import { raw } from "../../../system/files/folded-name.ts"
import { realDirectory } from "../../../system/files/host-path.ts"
import { askedEvent } from "../../entry/consents.ts"
import type { Lifecycle } from "../../entry/context.ts"
import { displayName, type Entry } from "../../entry/entry.ts"
import { EventLog } from "../../entry/events.ts"
import { runningGeneration } from "../../life/engine/running.ts"
import { type Trees, workspaceTrees } from "../../life/guest/baseline.ts"
import { borrowReader, explainEnd, type Reader } from "../../life/read/reader.ts"
import { wakeFor } from "../../life/verbs/pause.ts"
import { guardOf } from "../../residents/open/entry-residents.ts"
import { collectChanges, wholeChanges } from "../diff/changes.ts"
import { convertedPaths } from "../diff/converted.ts"
import { changesOptions } from "../diff/diff.ts"
import { patchOf } from "../diff/patch-of.ts"
import { movingBaseline } from "./applied.ts"
import { exportChanges } from "./apply.ts"
import type { Consent } from "./deliver.ts"
import { isOutside } from "./guest-path.ts"
import { emptyNote, leftOutNotes } from "./notes.ts"
import { boundedPatch, exportPatch } from "./patch.ts"
import { type ExportBounds, exportPath } from "./path.ts"
import { exclusion, tooManyGlobs } from "./tree.ts"

interface ExportReader extends Pick<Reader, "channel" | "explain"> {
  /** @default the trees of every guest */
  readonly trees?: Trees | undefined
}

/** The guest that reads the exported paths. An inspector has only /workspace, so other paths need a running VM, as an import does. */
const readerFor = (
  lifecycle: Lifecycle,
  entry: Entry,
  payload: ExportPayload
) =>
  Effect.gen(function*() {
    if (!isOutside(payload)) {
      const awake = wakeFor(lifecycle, entry, "workspace.export")
      return yield* borrowReader(lifecycle, entry, "workspace.export", awake)
    }
    const generation = yield* runningGeneration(entry, "workspace.import")
    return { channel: generation.channel, explain: explainEnd({ entry, generation }) }
  })

/** Copies files, or the diff as a patch or as changes of files, from a workspace to the host. */
export const exportFrom = (
  lifecycle: Lifecycle,
  entry: Entry,
  payload: ExportPayload
) =>
  Stream.unwrap(
    Effect.map(readerFor(lifecycle, entry, payload), (reader) => exportThrough(reader, entry, payload))
  )

/** Ends the wait for the user's answer if the workspace is deleted: the request can no longer be answered. */
const untilDeletion = (entry: Entry) =>
  entry.deletion.begun.pipe(
    Effect.andThen(
      Effect.fail(
        new ExportRefused({ detail: "the workspace was deleted while the export waited for the user", paths: [] })
      )
    )
  )

/** Asks the user, and records the question. The request that answers records the answer. */
const consentOf = (entry: Entry) =>
  Effect.map(
    Effect.all([EventLog, callerProject]),
    ([{ record }, caller]): Consent => (asked, notify) =>
      entry.consents.ask({ ...asked, ...(caller?.client === undefined ? {} : { client: caller.client }) }, (waiting) =>
        Effect.flatMap(displayName(entry), (name) =>
          Effect.andThen(
            record(entry.folder.directory, askedEvent(waiting)),
            notify(
              notice("progress", "the user must allow this export, here or on the page", [
                call("Allow it", "workspace.answer", { workspace: name, request: waiting.request, decision: "allow" })
              ])
            )
          ))).pipe(Effect.raceFirst(untilDeletion(entry)))
  )

/** Fails for options that do not go together. */
const demandFitting = (
  { apply, ask, check, includeIgnored, output, overwrite, patch, preserveTimes }: ExportPayload
) => {
  const invalid = (field: string, detail: string) => Effect.fail(new InvalidRequest({ field, detail }))
  if (ask && output === "-") return invalid("ask", "does not go with the standard output")
  if (apply && patch) {
    return invalid("apply", "does not go with a patch: one makes the changes, the other writes them down")
  }
  if (apply && overwrite) {
    return invalid("overwrite", "does not go with an apply, which never replaces what is not as seeded")
  }
  if (preserveTimes && (apply || patch)) {
    return invalid(
      "preserve_times",
      `does not go with ${apply ? "an apply" : "a patch"}, which has changes, and no files`
    )
  }
  if (includeIgnored && !apply && !patch) {
    return invalid("include_ignored", "goes with a patch or an apply: an export of files has ignored ones anyway")
  }
  if (check && !apply) return invalid("check", "goes with an apply only")
  return output === undefined && !apply ? invalid("output", "is missing") : Effect.void
}

/** The directory that the workspace was seeded from, while there is one. */
const seedDirectory = (entry: Entry) =>
  Effect.map(entry.record.now, ({ seedPath }) => seedPath === undefined ? undefined : realDirectory(seedPath))

const isSeed = (entry: Entry, output: string | undefined) =>
  Effect.map(
    seedDirectory(entry),
    (directory) => directory !== undefined && output !== undefined && realDirectory(output) === directory
  )

const seededFrom = (entry: Entry) =>
  Effect.flatMap(seedDirectory(entry), (directory) =>
    directory === undefined
      ? Effect.fail(
        new InvalidRequest({
          field: "output",
          detail:
            "is missing: the workspace was not seeded from a directory of this host, so name the one whose files are to be changed"
        })
      )
      : Effect.succeed(directory))

/** Exports through a guest that reads the workspace. */
export const exportThrough = ({ channel, explain, trees }: ExportReader, entry: Entry, asked: ExportPayload) =>
  Stream.unwrap(Effect.gen(function*() {
    yield* demandFitting(asked)
    const payload = asked.apply && asked.output === undefined
      ? { ...asked, output: yield* seededFrom(entry) }
      : asked
    const bounds: ExportBounds = {
      secrets: yield* guardOf(entry, payload),
      within: yield* writingPlace(payload.output ?? ""),
      consent: payload.ask ? yield* consentOf(entry) : undefined,
      // Another directory has other files than the workspace was seeded with.
      moveBaseline: payload.apply && (yield* isSeed(entry, payload.output))
        ? yield* movingBaseline(entry, channel)
        : undefined
    }
    return payload.patch || payload.apply
      ? exportDiff({ channel, trees }, entry.folder.directory, payload, bounds)
      : exportPath(channel, payload, bounds)
  })).pipe(
    Stream.catch((failure) => Stream.fromEffect(explain(Effect.fail(failure))))
  )

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

const exportedPaths = ({ path, paths }: ExportPayload) => path === "" ? paths : [path, ...paths]

/** The diff, or a path's part of it, as a patch on the host, or in the files of a directory. With a digest, only the reviewed diff. */
const exportDiff = (
  { channel, trees }: Pick<ExportReader, "channel" | "trees">,
  folder: string,
  payload: ExportPayload,
  bounds: ExportBounds
) =>
  Stream.unwrap(Effect.gen(function*() {
    const options = yield* changesOptions({
      paths: exportedPaths(payload),
      includeIgnored: payload.includeIgnored,
      verified: false
    }).pipe(Effect.mapError((refused) => ofField(refused, "path")))
    const pushed = yield* readPushed(folder)
    const found = yield* collectChanges(channel, { ...options, pushed, trees })
    const changes = yield* withoutExcluded(yield* wholeChanges(found), payload.exclude)
    const isEmpty = changes.length === 0
    const hints = Stream.fromIterable(
      [...leftOutNotes(found), ...(isEmpty ? [emptyNote(payload, pushed, { ...found, paths: options.paths })] : [])]
    )
    yield* refuseSecretsIn(bounds.secrets, changes)
    if (payload.apply) {
      // Tools that read patches have these limits.
      const { digest } = yield* patchOf(changes, 0)
      return Stream.concat(hints, exportChanges(changes, digest, payload, bounds))
    }
    const patch = yield* boundedPatch(changes)
    const converted = yield* convertedPaths({ channel, pushed, trees: trees ?? workspaceTrees }, changes)
    return Stream.concat(hints, exportPatch(patch, changes, sha256Hex(patch), payload, { ...bounds, converted }))
  }))
