import { Effect, Stream } from "effect"
import type { ExportRefused, InvalidRequest } from "../../contract/errors/errors.ts"
import type { Notice } from "../../contract/rows/notice.ts"
import type { ExportEvent, ExportPayload } from "../../contract/rows/workspace-export.ts"
import { sha256Hex } from "../../system/files/digest.ts"
import type { Change } from "../patch/model/patch.ts"
import { patchOf } from "../patch/patch-of.ts"
import { exportChanges } from "./apply.ts"
import type { ExportBounds } from "./bounds.ts"
import type { DeliveryFailed } from "./deliver.ts"
import { boundedPatch, exportPatch } from "./patch.ts"

/** The diff of a workspace, of which nothing is on the host yet. */
export interface ExportedChanges {
  readonly changes: ReadonlyArray<Change>
  /** Facts about the diff, such as what is left out. */
  readonly hints: ReadonlyArray<Notice>
  /** Files that git converts, so that it may refuse the patch. */
  readonly converted: ReadonlyArray<Uint8Array>
  /** The changes as a patch. @default it is formatted when it is written */
  readonly patch?: Uint8Array | undefined
}

/** Writes the diff as a patch, or makes its changes in the files of a directory. */
export const writeChanges = (
  { changes, converted, hints, patch }: ExportedChanges,
  payload: ExportPayload,
  bounds: ExportBounds
): Stream.Stream<ExportEvent, DeliveryFailed | ExportRefused | InvalidRequest> =>
  Stream.concat(
    Stream.fromIterable(hints),
    Stream.unwrap(Effect.gen(function*() {
      if (payload.apply) {
        // Tools that read patches have these limits.
        const { digest } = yield* patchOf(changes, 0)
        return exportChanges(changes, digest, payload, bounds)
      }
      const bytes = patch ?? (yield* boundedPatch(changes))
      return exportPatch(bytes, changes, sha256Hex(bytes), payload, { ...bounds, converted })
    }))
  )
