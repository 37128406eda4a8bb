import { Effect, Stream } from "effect"
import type { ChannelFailed, ExportRefused, FileRefused, InvalidRequest } from "../../../contract/errors/errors.ts"
import type { ExportEvent, ExportPayload } from "../../../contract/rows/workspace-export.ts"
import type { ExportBounds } from "../../../lib/exporting/bounds.ts"
import type { DeliveryFailed } from "../../../lib/exporting/deliver.ts"
import { shown } from "../../../lib/exporting/names.ts"
import { demandSize, Remarks, type TreeEntry } from "../../../lib/exporting/tree.ts"
import { type ExportedTree, outputOfTree, writeTree } from "../../../lib/exporting/write-tree.ts"
import { wholeGuest } from "../../../lib/guest-channel/guest-path.ts"
import { refuseSecretIn, withoutSecretIn } from "../../../lib/redaction/redact.ts"
import type { SecretSet } from "../../../lib/redaction/secrets.ts"
import { contentsOf, type ExportChannel, unsizedContents, withSizesOf } from "./contents.ts"
import { isOutside, outsidePath, outsideRefusal, WORKSPACE_ROOT } from "./guest-path.ts"
import { collectSelection, rootEntry, selectedPaths } from "./selection.ts"

/** The part of a request that says which files are read. */
export type ReadPayload = Pick<
  ExportPayload,
  "apply" | "exclude" | "maxEntries" | "maxMib" | "patch" | "path" | "paths"
>

type ReadFailed = ChannelFailed | ExportRefused | FileRefused | InvalidRequest

/** Secrets that the exported content must not have. */
export interface Guarded {
  /** @default none */
  readonly secrets?: SecretSet | undefined
}

/** A refusal names an absolute path, if the request does. */
export const withOutsideRefusals =
  (payload: ReadPayload) => <A>(events: Stream.Stream<A, DeliveryFailed | ReadFailed>) =>
    isOutside(payload)
      ? Stream.catchTag(events, "FileRefused", (failure) => Stream.fail(outsideRefusal(failure)))
      : events

/**
 * Lists files and directories of the guest, whose contents are read later. Limits bound the guest's names, types and sizes. A file's content is cut at
 * its reported size, unless the guest reports a file with content as empty.
 */
export const readTree = (
  channel: ExportChannel,
  payload: ReadPayload,
  { secrets }: Guarded
): Effect.Effect<ExportedTree, ReadFailed> =>
  Effect.gen(function*() {
    const isFromOutside = isOutside(payload)
    const from = isFromOutside ? wholeGuest.root : WORKSPACE_ROOT
    const selected = isFromOutside
      ? [yield* outsidePath(channel, payload.path)] as const
      : yield* selectedPaths(payload)
    const [path] = selected
    const several = selected.length > 1
    // Several paths keep their places in /workspace.
    const top = several ? "" : path
    const root = yield* rootEntry(channel, top, from)
    const collector = root.type === "file" ? undefined : yield* collectSelection(channel, selected, root, payload, from)
    const listed = collector?.finish() ?? [root]
    yield* demandSize(listed, payload)
    const buffered = yield* unsizedContents(channel, listed, { path: top, from })
    const entries = withSizesOf(listed, buffered)
    yield* demandSize(entries, payload)
    yield* Effect.forEach(
      secrets === undefined ? [] : entries,
      ({ path, target = "" }) => refuseSecretIn(secrets!, shown(path), Buffer.from(`${path}\0${target}`, "latin1")),
      { discard: true }
    )
    const contents = contentsOf(channel, top, entries, { from, buffered })
    return {
      top,
      // The root is the first.
      entries: entries as readonly [TreeEntry, ...ReadonlyArray<TreeEntry>],
      contents: (secrets === undefined ? contents : Stream.map(contents, ({ content, entry }) => ({
        entry,
        content: withoutSecretIn(secrets, shown(entry.path === "" ? top : entry.path), content)
      }))),
      skips: collector?.skips ?? new Remarks(),
      excludedCount: collector?.excludedCount ?? 0
    }
  })

/** Copies files and directories of the guest to the host, all or none. */
export const exportPath = (
  channel: ExportChannel,
  payload: ExportPayload,
  bounds: ExportBounds & Guarded = {}
): Stream.Stream<ExportEvent, DeliveryFailed | ReadFailed> =>
  Stream.unwrap(Effect.gen(function*() {
    const output = yield* outputOfTree(payload, bounds)
    return writeTree(yield* readTree(channel, payload, bounds), output, payload, bounds)
  })).pipe(withOutsideRefusals(payload))
