import { Effect } from "effect"
import type { ExportRefused } from "../../contract/errors/errors.ts"
import type { ExportPayload } from "../../contract/rows/workspace-export.ts"
import type { TransferEventOf } from "../../contract/rows/workspace-transfer.ts"
import { filesOf } from "../../lib/exporting/apply.ts"
import { shown } from "../../lib/exporting/names.ts"
import { type Change, limits, type Side } from "../../lib/patch/model/patch.ts"
import { raw } from "../../system/files/folded-name.ts"
import type { Incoming } from "./incoming.ts"

type Changed = TransferEventOf<"Changed">
type AnnouncedSide = NonNullable<Changed["before"]>

const isSize = (size: number) => Number.isSafeInteger(size) && size >= 0

/** Reads the changes of a diff with all their contents. They are in memory, so their bytes are bounded. */
export const receiveChanges = <E>(from: Incoming<E>, { maxEntries }: Pick<ExportPayload, "maxEntries">) =>
  Effect.gen(function*() {
    const { refuse } = from
    const changes: Array<Change> = []
    let left: number = limits.total
    const most = Math.max(maxEntries, limits.files)
    const take = (bytes: number) => {
      left -= bytes
      return isSize(bytes) && left >= 0
    }
    const receiveSide = (announced: AnnouncedSide | undefined, path: string) =>
      Effect.gen(function*() {
        if (announced === undefined) return undefined
        if (!take(announced.size)) return yield* refuse("more content than a diff may have", [shown(path)])
        return { mode: announced.mode, content: yield* receiveContent(from, announced.size, path) } satisfies Side
      })
    for (;;) {
      const event = yield* from.next
      if (event._tag === "Sent") {
        const repeated = repeatedPath(changes)
        return repeated === undefined
          ? { changes, sent: event }
          : yield* refuse("two changes of one path", [shown(repeated)])
      }
      if (event._tag !== "Changed") return yield* refuse(`${event._tag} came in place of a change`)
      const { after, before, from: old, path } = event
      const shownPath = raw(path)
      if (changes.length === most || !take(path.length + (old?.length ?? 0))) {
        return yield* refuse("more changes than a diff may have")
      }
      if (before === undefined && (after === undefined || old !== undefined)) {
        return yield* refuse("a change of nothing", [shown(shownPath)])
      }
      changes.push({
        path,
        from: old,
        before: yield* receiveSide(before, shownPath),
        after: yield* receiveSide(after, shownPath)
      })
    }
  })

/** A content of exactly the announced size. */
const receiveContent = <E>(
  from: Incoming<E>,
  size: number,
  path: string
): Effect.Effect<Uint8Array, E | ExportRefused> =>
  Effect.gen(function*() {
    const pieces: Array<Uint8Array> = []
    let bytes = 0
    for (;;) {
      const output = yield* from.expect("Output")
      bytes += output.bytes.length
      pieces.push(output.bytes)
      if (bytes > size || output.gone !== undefined || (output.isLast && bytes < size)) {
        return yield* from.refuse("a content of another size than announced", [shown(path)])
      }
      if (output.isLast) return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
    }
  })

const repeatedPath = (changes: ReadonlyArray<Change>) => {
  const seen = new Set<string>()
  return filesOf(changes).find(({ path }) => seen.size === seen.add(path).size)?.path
}
