import { Effect, Stream } from "effect"
import { type ExportRefused, InvalidRequest } from "../../contract/errors/errors.ts"
import type { ExportEvent, ExportPayload } from "../../contract/rows/workspace-export.ts"
import { archiveFormat } from "./archive.ts"
import type { ExportBounds } from "./bounds.ts"
import { type Contents, deliver, type DeliveryFailed } from "./deliver.ts"
import { executableEntries } from "./executable-config.ts"
import { type HostOutput, hostOutput } from "./host-output.ts"
import { demandHoldable } from "./this-computer.ts"
import type { Remarks, TreeEntry } from "./tree.ts"

/** Files and directories of a workspace, of which nothing is on the host yet. */
export interface ExportedTree {
  /** Raw path of the root in the guest. Empty for several paths, and for all of /workspace. */
  readonly top: string
  /** The root first, parents before children. */
  readonly entries: readonly [TreeEntry, ...ReadonlyArray<TreeEntry>]
  /** The content of each file, in the order of the entries. */
  readonly contents: Contents
  readonly skips: Remarks
  /** Number of excluded paths. */
  readonly excludedCount: number
}

/** Where an export of files writes. Fails for a request that asks for a diff. */
export const outputOfTree = (
  { expect, output = "" }: Pick<ExportPayload, "expect" | "output">,
  { within }: Pick<ExportBounds, "within">
): Effect.Effect<HostOutput, InvalidRequest | ExportRefused> =>
  Effect.suspend((): Effect.Effect<HostOutput, InvalidRequest | ExportRefused> => {
    if (expect !== undefined) {
      return new InvalidRequest({ field: "expect", detail: "goes with a patch or an apply only" })
    }
    const read = hostOutput(output, within)
    return read._tag === "stdout" || read._tag === "path" ? Effect.succeed(read) : read
  })

/** A directory becomes an archive on standard output, and for an output with an archive's name. */
const archiveOf = (output: HostOutput) =>
  output._tag === "stdout" ? "tar" : output.asDirectory ? undefined : archiveFormat(output.name)

/** Writes files and directories to the host, all or none. */
export const writeTree = (
  { contents, entries, excludedCount, skips, top }: ExportedTree,
  output: HostOutput,
  payload: Pick<ExportPayload, "allowExecutableConfig" | "exclude" | "overwrite" | "preserveTimes">,
  { consent }: Pick<ExportBounds, "consent">
): Stream.Stream<ExportEvent, DeliveryFailed> => {
  const isDirectory = entries[0].type === "directory"
  const archive = isDirectory ? archiveOf(output) : undefined
  const delivered = deliver({
    output,
    overwrite: payload.overwrite,
    preserveTimes: payload.preserveTimes,
    kind: archive !== undefined ? "archive" : isDirectory ? "directory" : "file",
    archive,
    entries,
    contents,
    skips,
    excludedCount: payload.exclude.length === 0 ? undefined : excludedCount,
    // The rules judge an archive's entries by their own names, because the archive may be unpacked anywhere.
    executable: executableEntries(entries, archive !== undefined || output._tag === "stdout" ? top : output.tail),
    allowExecutable: payload.allowExecutableConfig,
    consent
  })
  return output._tag === "stdout" || archive !== undefined
    ? delivered
    : Stream.unwrap(Effect.as(demandHoldable(entries), delivered))
}
