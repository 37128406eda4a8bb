import { Effect, Option, Stream } from "effect"
import { type ChannelFailed, FileRefused } from "../../../contract/errors/errors.ts"
import { sizeText } from "../../../contract/text/size-text.ts"
import { wholeGuest } from "../../../guest-channel/guest-path.ts"
import { below, contentsOf, type ExportChannel } from "./contents.ts"
import type { FileContent } from "./deliver.ts"
import { shown } from "./guest-path.ts"
import type { TreeEntry } from "./tree.ts"

/** Maximum `bytes` that one export holds in memory. The largest usual file, /proc/kallsyms, has 10 MiB. */
const heldMost = 16 * 1024 * 1024
/** Size of every file of sysfs, in `bytes`. Its content is shorter. */
const sysfsSize = 4096

/** Where an export reads: the directory `path` of `from`, both raw. */
interface Place {
  readonly path: string
  readonly from: string
}

/** Whether the listed size may say nothing about the content, as in /proc and /sys. */
const isUnsized = (entry: TreeEntry, { from, path }: Place): boolean =>
  entry.type === "file" &&
  (entry.size === 0 ||
    (entry.size === sysfsSize && from === wholeGuest.root && below(path, entry).startsWith("sys/")))

/** The whole content, or none of a file that cannot be read: the export itself reports such a file. */
const wholeOf = ({ content }: FileContent): Effect.Effect<Option.Option<Uint8Array>, ChannelFailed> =>
  content instanceof Uint8Array ? Effect.succeedSome(content) : Stream.runCollect(content).pipe(
    Effect.map((pieces) => Option.some(Buffer.concat(Array.from(pieces)))),
    Effect.catchTags({ Gone: () => Effect.succeedNone, FileRefused: () => Effect.succeedNone })
  )

/** Contents that are known before the export, by the entry's path. */
export type Held = ReadonlyMap<string, FileContent["content"]>

/**
 * Contents of files that the guest's kernel makes up, as those of /proc: they are listed as empty. An export announces sizes before contents,
 * so these contents are read before. A larger file is left out of a directory, and refused alone.
 */
export const unsizedContents = (
  channel: ExportChannel,
  entries: ReadonlyArray<TreeEntry>,
  place: Place
): Effect.Effect<Held, ChannelFailed | FileRefused> =>
  Effect.gen(function*() {
    const held = new Map<string, FileContent["content"]>()
    let left = heldMost
    const unsized = contentsOf(channel, place.path, entries.filter((entry) => isUnsized(entry, place)), {
      from: place.from,
      most: () => Math.max(left, 0)
    })
    yield* Stream.runForEach(unsized, (file) =>
      Effect.flatMap(
        wholeOf(file),
        Option.match({
          onNone: () => Effect.void,
          onSome: (content): Effect.Effect<void, FileRefused> => {
            const { path, size } = file.entry
            left -= content.length
            if (left >= 0) {
              if (content.length > 0) held.set(path, content)
            } else if (path === "") {
              const name = `${place.from === wholeGuest.root ? "/" : ""}${shown(place.path)}`
              return new FileRefused({ path: name, reason: "too_large", detail: `${tooLarge}. ${READ_BY_COMMAND}` })
            } else if (size === 0 && content.length > 0) {
              held.set(path, Stream.fail({ _tag: "Gone", reason: tooLarge }))
            }
            return Effect.void
          }
        })
      ))
    return held
  })

const tooLarge = `it is listed as empty, and the guest has more than ${sizeText(heldMost)} in files that are`
const READ_BY_COMMAND = "Read its content with a command, such as cat"

/** The entries with the sizes of these contents. */
export const withSizesOf = (entries: ReadonlyArray<TreeEntry>, held: Held): ReadonlyArray<TreeEntry> =>
  held.size === 0 ? entries : entries.map((entry) => {
    const content = held.get(entry.path)
    return content instanceof Uint8Array ? { ...entry, size: content.length } : entry
  })
