import { Effect, Option, Stream } from "effect"
import type { ExportRefused } from "../../contract/errors/errors.ts"
import type { ExportPayload } from "../../contract/rows/workspace-export.ts"
import type { TransferEventOf } from "../../contract/rows/workspace-transfer.ts"
import { printable } from "../../contract/text/printable.ts"
import type { EntryContent, Gone } from "../../lib/exporting/deliver.ts"
import { shown } from "../../lib/exporting/names.ts"
import { demandSize, entryOf, Remarks, TreeCollector, type TreeEntry } from "../../lib/exporting/tree.ts"
import { raw } from "../../system/files/folded-name.ts"
import type { Incoming } from "./incoming.ts"

/** Set-user-ID, by which an entry shows that it loses such bits. */
const SET_ID = 0o4000
const LISTED_SKIPS = 1_000

type Listed = TransferEventOf<"Listed">["entries"][number]

const listedEntry = ({ loses, mode, mtimeNs = "0", path, size, target, type }: Listed) => ({
  path,
  type,
  mode: (mode & 0o777) | (loses.includes("setIds") ? SET_ID : 0),
  size,
  mtimeNs: BigInt(mtimeNs),
  linkTarget: target ?? new Uint8Array(0),
  hasAttributes: loses.includes("attributes")
})

const isSound = ({ mtimeNs = "0", size }: Listed) =>
  Number.isSafeInteger(size) && size >= 0 && /^-?[0-9]{1,20}$/.test(mtimeNs)

/**
 * Reads the list of exported files, and judges it as if a guest had made it. The other machine has done so before: a list that has anything to leave out
 * is refused as a whole.
 */
export const receiveTree = <E>(
  from: Incoming<E>,
  first: TransferEventOf<"Tree">,
  payload: Pick<ExportPayload, "maxEntries" | "maxMib">
) =>
  Effect.gen(function*() {
    const { refuse } = from
    const { entryCount, excludedCount, skipped, skippedCount } = first
    if (entryCount < 1 || entryCount > payload.maxEntries) {
      return yield* refuse(`${entryCount} entries, and at most ${payload.maxEntries} were asked for`)
    }
    const paths: Array<string> = []
    let collector: TreeCollector | undefined
    while (paths.length < entryCount) {
      const { entries } = yield* from.expect("Listed")
      if (entries.length === 0 || paths.length + entries.length > entryCount) {
        return yield* refuse("lists with another number of entries than announced")
      }
      for (const one of entries) {
        const path = raw(one.path)
        if (!isSound(one)) return yield* refuse("an impossible size or time", [shown(path)])
        paths.push(path)
        if (collector === undefined) {
          const root = entryOf("", listedEntry(one))
          if (path !== "" || typeof root === "string" || root.type === "symlink") {
            return yield* refuse("a list that does not begin with the exported file or directory", [shown(path)])
          }
          if (root.type === "file" && entryCount > 1) return yield* refuse("entries beneath a file")
          collector = new TreeCollector(root, payload)
          continue
        }
        const problem = collector.add(listedEntry(one))
        if (problem !== undefined) return yield* problem
      }
    }
    const entries = collector!.finish()
    const bad = collector!.skips.listed.map(({ path, reason }) => `${path}: ${reason}`)
    if (bad.length > 0) return yield* refuse("entries that no export may have", bad.slice(0, 10))
    // Its contents come in this order.
    if (entries.length !== paths.length || entries.some(({ path }, at) => path !== paths[at])) {
      return yield* refuse("a path that is listed twice, or out of order")
    }
    yield* demandSize(entries, payload)
    const skips = new Remarks()
    for (const { path, reason } of skipped.slice(0, LISTED_SKIPS)) {
      skips.listed.push({ path: printable(path), reason: printable(reason) })
    }
    skips.count = Math.max(skippedCount, skips.listed.length)
    return {
      top: raw(first.top),
      entries: entries as readonly [TreeEntry, ...ReadonlyArray<TreeEntry>],
      contents: contentsOf(from, entries),
      skips,
      excludedCount
    }
  })

/** The content of each file, in order, and then the end of the transfer: without it, nothing gets its name. */
const contentsOf = <E>(
  from: Incoming<E>,
  entries: ReadonlyArray<TreeEntry>
): Stream.Stream<EntryContent<E | ExportRefused>, E | ExportRefused> => {
  /** The content of the present file has not come to its end, because its reader wanted no more. */
  let isOpen = false
  let left = 0
  const part = (entry: TreeEntry) =>
    Effect.flatMap(from.expect("Output"), (output) => {
      left -= output.bytes.length
      isOpen = !output.isLast
      // The other machine cuts a file that has grown after its size and one byte.
      return left < 0
        ? from.refuse("more content than its size", [shown(entry.path)])
        : Effect.succeed(output)
    })
  const rest = (entry: TreeEntry): Effect.Effect<void, E | ExportRefused> =>
    Effect.gen(function*() {
      while (isOpen) yield* part(entry)
    })
  let last: TreeEntry | undefined
  const begin = (entry: TreeEntry) =>
    Effect.gen(function*() {
      if (last !== undefined) yield* rest(last)
      last = entry
      left = entry.size + 1
      const output = yield* part(entry)
      if (output.gone !== undefined) {
        return { entry, content: Stream.fail<Gone>({ _tag: "Gone", reason: printable(output.gone) }) }
      }
      if (output.isLast) {
        return { entry, content: output.bytes }
      }
      return { entry, content: Stream.concat(Stream.make(output.bytes), following(entry)) }
    })
  const following = (entry: TreeEntry): Stream.Stream<Uint8Array, E | ExportRefused | Gone> =>
    Stream.paginate(undefined, () =>
      Effect.gen(function*() {
        if (!isOpen) return [[], Option.none()] as const
        const { bytes, gone } = yield* part(entry)
        if (gone !== undefined) return yield* Effect.fail<Gone>({ _tag: "Gone", reason: printable(gone) })
        return [[bytes], Option.some(undefined)] as const
      }))
  const end = Effect.suspend(() => last === undefined ? Effect.void : rest(last)).pipe(
    Effect.andThen(from.expect("Sent"))
  )
  return Stream.concat(
    Stream.fromIterable(entries.filter(({ type }) => type === "file")).pipe(Stream.mapEffect(begin)),
    Stream.drain(Stream.fromEffect(end))
  )
}
