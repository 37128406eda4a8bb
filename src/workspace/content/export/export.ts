import { Effect, Stream } from "effect"
import { ExportRefused, InvalidRequest } from "../../../contract/errors/errors.ts"
import { call } from "../../../contract/errors/next-step.ts"
import { notice } from "../../../contract/rows/notice.ts"
import type { ExportPayload } from "../../../contract/rows/workspace-export.ts"
import { callerProject } from "../../../contract/wire/caller-project.ts"
import type { Consent, ExportBounds } from "../../../lib/exporting/bounds.ts"
import { demandFitting } from "../../../lib/exporting/fitting.ts"
import { writeChanges } from "../../../lib/exporting/write-changes.ts"
import { writingPlace } from "../../../system/files/caller-places.ts"
import { realDirectory } from "../../../system/files/host-path.ts"
import { askedEvent } from "../../entry/consents.ts"
import type { Lifecycle } from "../../entry/context.ts"
import { displayName, type Entry } from "../../entry/entry.ts"
import { EventLog } from "../../entry/events.ts"
import { runningGeneration } from "../../life/engine/running.ts"
import type { Trees } from "../../life/guest/baseline.ts"
import { borrowReader, explainEnd, type Reader } from "../../life/read/reader.ts"
import { wakeFor } from "../../life/verbs/pause.ts"
import { guardOf } from "../../residents/open/entry-residents.ts"
import { movingBaseline } from "./applied.ts"
import { readChanges } from "./changes.ts"
import { isOutside } from "./guest-path.ts"
import { exportPath } from "./path.ts"

/** A guest that reads a workspace for an export. */
export interface ExportReader extends Pick<Reader, "channel" | "explain"> {
  /** @default the trees of every guest */
  readonly trees?: Trees | undefined
}

/** The guest that reads the exported paths. An inspector has only /workspace, so other paths need a running VM, as an import does. */
export const readerFor = (
  lifecycle: Lifecycle,
  entry: Entry,
  payload: Pick<ExportPayload, "apply" | "patch" | "path" | "paths">
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
export const consentOf = (entry: Entry) =>
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

/** The directory that the workspace was seeded from, while there is one. */
const seedDirectory = (entry: Entry) =>
  Effect.map(
    entry.record.now,
    ({ seedPath }) => seedPath?.startsWith("/") === true ? realDirectory(seedPath) : undefined
  )

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
    const secrets = yield* guardOf(entry, payload)
    const bounds: ExportBounds = {
      within: yield* writingPlace(payload.output ?? ""),
      consent: payload.ask ? yield* consentOf(entry) : undefined,
      // Another directory has other files than the workspace was seeded with.
      moveBaseline: payload.apply && (yield* isSeed(entry, payload.output))
        ? yield* movingBaseline(entry, channel)
        : undefined
    }
    if (!payload.patch && !payload.apply) return exportPath(channel, payload, { ...bounds, secrets })
    const changes = yield* readChanges({ channel, trees }, entry.folder.directory, payload, { secrets })
    return writeChanges(changes, payload, bounds)
  })).pipe(
    Stream.catch((failure) => Stream.fromEffect(explain(Effect.fail(failure))))
  )
