import { Effect, identity, Stream } from "effect"
import { type ChannelFailed, InvalidRequest } from "../../../contract/errors/errors.ts"
import type { ExportEvent, ExportPayload } from "../../../contract/rows/workspace-export.ts"
import { wholeGuest } from "../../../lib/guest-channel/guest-path.ts"
import { refuseSecretIn, withoutSecretIn } from "../../../lib/redaction/redact.ts"
import type { SecretSet } from "../../../lib/redaction/secrets.ts"
import type { MoveBaseline } from "./applied.ts"
import { archiveFormat } from "./archive.ts"
import { contentsOf, type ExportChannel, unsizedContents, withSizesOf } from "./contents.ts"
import { type Consent, deliver, type DeliveryFailed } from "./deliver.ts"
import { executableEntries } from "./executable-config.ts"
import { isOutside, outsidePath, outsideRefusal, shown, WORKSPACE_ROOT } from "./guest-path.ts"
import { type HostOutput, hostOutput } from "./host-output.ts"
import { collectSelection, rootEntry, selectedPaths } from "./selection.ts"
import { demandSize, Remarks } from "./tree.ts"

type ExportFailed = DeliveryFailed | InvalidRequest | ChannelFailed

/** Bounds of the caller, if any. */
export interface ExportBounds {
  /** Folder of the host (symlinks resolved) that must contain the output. */
  readonly within?: string | undefined
  /** Secrets that the exported content must not have. @default none */
  readonly secrets?: SecretSet | undefined
  /** Asks the user once the content is complete, and fails if the answer is no. @default no question */
  readonly consent?: Consent | undefined
  /** Makes changes of files together with a move of the baseline. @default the baseline stays */
  readonly moveBaseline?: MoveBaseline | undefined
}

/** A directory becomes an archive on standard output, and for an output with an archive's name. */
const archiveOf = (output: HostOutput) =>
  output._tag === "stdout" ? "tar" : output.asDirectory ? undefined : archiveFormat(output.name)

/**
 * Copies files and directories of the guest to the host, all or none. Limits bound the guest's names, types and sizes before the
 * first write. A file's content is cut at its reported size, unless the guest reports a file with content as empty.
 */
export const exportPath = (
  channel: ExportChannel,
  payload: ExportPayload,
  bounds: ExportBounds = {}
): Stream.Stream<ExportEvent, ExportFailed> =>
  Stream.unwrap(Effect.gen(function*() {
    if (payload.expect !== undefined) {
      return yield* new InvalidRequest({ field: "expect", detail: "goes with a patch or an apply only" })
    }
    const output = hostOutput(payload.output ?? "", bounds.within)
    if (output._tag === "InvalidRequest" || output._tag === "ExportRefused") return yield* output
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
    const archive = root.type === "directory" ? archiveOf(output) : undefined
    const collector = root.type === "file" ? undefined : yield* collectSelection(channel, selected, root, payload, from)
    const listed = collector?.finish() ?? [root]
    yield* demandSize(listed, payload)
    const buffered = yield* unsizedContents(channel, listed, { path: top, from })
    const entries = withSizesOf(listed, buffered)
    yield* demandSize(entries, payload)
    const { secrets } = bounds
    yield* Effect.forEach(
      secrets === undefined ? [] : entries,
      ({ path, target = "" }) => refuseSecretIn(secrets, shown(path), Buffer.from(`${path}\0${target}`, "latin1")),
      { discard: true }
    )
    const contents = contentsOf(channel, top, entries, { from, buffered })
    return deliver({
      output,
      overwrite: payload.overwrite,
      preserveTimes: payload.preserveTimes,
      kind: archive !== undefined ? "archive" : root.type === "file" ? "file" : "directory",
      archive,
      entries,
      contents: secrets === undefined ? contents : Stream.map(contents, ({ content, entry }) => ({
        entry,
        content: withoutSecretIn(secrets, shown(entry.path === "" ? top : entry.path), content)
      })),
      skips: collector?.skips ?? new Remarks(),
      excludedCount: payload.exclude.length === 0 ? undefined : collector?.excludedCount ?? 0,
      // The rules judge an archive's entries by their own names, because the archive may be unpacked anywhere.
      executable: executableEntries(entries, archive !== undefined || output._tag === "stdout" ? top : output.tail),
      allowExecutable: payload.allowExecutableConfig,
      consent: bounds.consent
    })
  })).pipe(
    isOutside(payload)
      ? Stream.catchTag("FileRefused", (failure) => Stream.fail(outsideRefusal(failure)))
      : identity
  )
