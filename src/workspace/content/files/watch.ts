import { Effect, Stream } from "effect"
import { FileRefused } from "../../../contract/errors/errors.ts"
import type { FileChange, FileWatchEvent, FileWatchPayload } from "../../../contract/rows/workspace-file-watch.ts"
import { guestFiles, workspacePath } from "../../../lib/guest-channel/guest-path.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { WatchRecord } from "../../../lib/guest-channel/model/files.ts"
import { shownIn } from "./list.ts"
import { asked, fileFailure } from "./open.ts"

/** Files of a running guest. */
const tree = guestFiles()

/** Maximum time until the guest watches, in ms. An agent of an older pyro never answers. */
const READY_MS = 60_000

type Change = Extract<WatchRecord, { readonly isDirectory: boolean }>

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1")

/** Changes that came together, one for each path. A file that was made and removed is left out, and the steps of a replacement are one change. */
export class Burst {
  readonly #changes = new Map<string, Change>()

  add(change: Change) {
    const path = latin1(change.path)
    const before = this.#changes.get(path)
    if (change._tag === "modified" && before !== undefined) return
    // The last change of a path gives its place in the order.
    this.#changes.delete(path)
    const put = (made: Change) => this.#changes.set(latin1(made.path), made)
    switch (change._tag) {
      case "created":
        return put(before?._tag === "removed" && !change.isDirectory ? { ...change, _tag: "modified" } : change)
      case "removed":
        if (before?._tag === "created") return
        return put(before?._tag === "renamed" ? { ...change, path: before.from } : change)
      case "renamed": {
        const moved = this.#changes.get(latin1(change.from))
        this.#changes.delete(latin1(change.from))
        const { isDirectory } = change
        if (moved?._tag === "created") return put({ _tag: "created", path: change.path, isDirectory })
        return put(moved?._tag === "renamed" ? { ...change, from: moved.from } : change)
      }
      case "modified":
        return put(change)
    }
  }

  /** Returns the changes and forgets them. */
  take(): ReadonlyArray<Change> {
    const taken = [...this.#changes.values()]
    this.#changes.clear()
    return taken
  }
}

/** The events of records that came together. */
const eventsOf = (records: ReadonlyArray<WatchRecord>, watched: string, shown: (path: Uint8Array) => string) => {
  const events: Array<FileWatchEvent> = []
  const burst = new Burst()
  const settle = () => {
    const changes = burst.take().map((change): FileChange => ({
      change: change._tag,
      path: shown(change.path),
      ...(change._tag === "renamed" ? { from: shown(change.from) } : {}),
      directory: change.isDirectory
    }))
    if (changes.length > 0) events.push({ _tag: "Changed", changes })
  }
  for (const record of records) {
    if ("isDirectory" in record) {
      burst.add(record)
      continue
    }
    settle()
    events.push(
      record._tag === "ready"
        ? { _tag: "Watching", path: watched }
        : record._tag === "loss"
        ? { _tag: "Lost", path: watched }
        : { _tag: "Unwatched", path: shown(record.path) }
    )
  }
  settle()
  return events
}

/** Changes beneath a directory of a running guest, or of one file. */
export const watchFiles = (
  channel: GuestChannel,
  { depth, path: text, recursive = true, user }: Omit<FileWatchPayload, "workspace">
) =>
  Stream.unwrap(Effect.map(workspacePath(text, tree), (path) => {
    const shown = shownIn(path, tree)
    const silent = new FileRefused({
      path: path.text,
      reason: "failed",
      detail: `the guest does not watch it after ${
        READY_MS / 1000
      } seconds; a reset gives the workspace this pyro's agent`
    })
    let isReady = false
    const records = channel.watchFiles({ ...asked(path, tree), user, recursive: recursive && depth === undefined })
    return Stream.transformPull(records, (pull) =>
      Effect.succeed(Effect.suspend(() =>
        isReady
          ? pull
          : Effect.timeoutOrElse(pull, { duration: READY_MS, orElse: () => Effect.fail(silent) })
      ))).pipe(
        Stream.map((records) => {
          isReady = true
          return eventsOf(records, path.text, shown)
        }),
        Stream.flattenIterable,
        Stream.concat(Stream.make<[FileWatchEvent]>({ _tag: "Ended", path: path.text })),
        Stream.catchTag("AgentCallFailed", (failure) => Stream.fail(fileFailure(path.text, tree)(failure)))
      )
  }))
