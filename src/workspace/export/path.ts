import { Effect, Stream } from "effect"
import { type ChannelFailed, ExportRefused, FileRefused, InvalidRequest } from "../../contract/errors.ts"
import type { ExportEvent, ExportPayload } from "../../contract/operations/workspace-export.ts"
import type { AgentCallFailed } from "../../guest-channel/errors.ts"
import type { WalkEntry } from "../../guest-channel/walk.ts"
import { executableEntries } from "./config-check.ts"
import { contentsOf, type ExportChannel } from "./contents.ts"
import { deliver, type DeliveryFailed } from "./deliver.ts"
import { guestPath, refusalOf, shown, WORKSPACE_ROOT } from "./guest-path.ts"
import { hostOutput } from "./host-output.ts"
import { bytesOf, hasGitName, raw } from "./names.ts"
import { Remarks } from "./remarks.ts"
import { entryOf, tooMuch, TreeCollector, type TreeEntry } from "./tree.ts"

export type ExportFailed = DeliveryFailed | InvalidRequest | ChannelFailed

/** Folders that the caller is bound to, if any. */
export interface ExportBounds {
  /** Folder of the host (symlinks resolved) that the output cannot lie outside of. */
  readonly within?: string | undefined
}

/**
 * Copies a file or directory of /workspace to the host: all of it or nothing. What the guest says of names, types and sizes is
 * bounded before anything is written, and its content is cut at the sizes it told.
 */
export const exportPath = (
  channel: ExportChannel,
  payload: ExportPayload,
  bounds: ExportBounds = {}
): Stream.Stream<ExportEvent, ExportFailed> =>
  Stream.unwrap(Effect.gen(function*() {
    if (payload.expect !== undefined) {
      return yield* new InvalidRequest({ field: "expect", detail: "goes with --patch only" })
    }
    const output = hostOutput(payload.output, bounds.within)
    if (output._tag === "InvalidRequest" || output._tag === "ExportRefused") return yield* output
    const path = guestPath(payload.path)
    if (typeof path !== "string") return yield* path
    if (hasGitName(path)) {
      return yield* new ExportRefused({ detail: "nothing in a git directory is exported", paths: [shown(path)] })
    }
    const root = yield* rootEntry(channel, path)
    if (output._tag === "stdout" && root.type === "directory") {
      return yield* new InvalidRequest({ field: "output", detail: "a directory does not fit on the standard output" })
    }
    const { entries, skips } = root.type === "file"
      ? { entries: [root], skips: new Remarks() }
      : yield* collect(channel, path, new TreeCollector(root, payload))
    const excess = tooMuch(entries, payload)
    if (excess !== undefined) return yield* excess
    return deliver({
      output,
      overwrite: payload.overwrite,
      kind: root.type === "file" ? "file" : "directory",
      entries,
      contents: contentsOf(channel, path, entries),
      skips,
      executable: executableEntries(entries, output._tag === "stdout" ? path : output.tail),
      allowExecutable: payload.allowExecutableConfig,
      warnings: []
    })
  }))

/** What a path of the guest is. A link is not followed: it would be exported under a name that it does not have. */
const rootEntry = (channel: ExportChannel, path: string): Effect.Effect<TreeEntry, FileRefused | ChannelFailed> =>
  Effect.gen(function*() {
    if (path === "") return { path: "", type: "directory", mode: 0o755, size: 0 }
    const slash = path.lastIndexOf("/")
    const name = path.slice(slash + 1)
    const walked = channel.walk({ root: WORKSPACE_ROOT, path: bytesOf(path.slice(0, Math.max(slash, 0))), maxDepth: 1 })
    const found = yield* Stream.runHead(Stream.filter(walked, (entry) => raw(entry.path) === name)).pipe(
      refusals(path)
    )
    if (found._tag === "None") return yield* refusalOf(path, { errno: "ENOENT", message: "" })
    const entry = entryOf("", found.value)
    const refused = (detail: string) => new FileRefused({ path: shown(path), reason: "not_a_file", detail })
    if (typeof entry === "string") return yield* refused(`${entry}, not a file or directory`)
    if (entry.type === "symlink") return yield* refused("it is a symbolic link; name what it points to")
    return entry
  })

const collect = (channel: ExportChannel, path: string, collector: TreeCollector) =>
  Stream.runForEach(
    channel.walk({ root: WORKSPACE_ROOT, path: bytesOf(path) }),
    (found: WalkEntry): Effect.Effect<void, ExportRefused> => collector.add(found) ?? Effect.void
  ).pipe(
    refusals(path),
    Effect.map(() => ({ entries: collector.finish(), skips: collector.skips }))
  )

const refusals = (path: string) => <A, E, R>(effect: Effect.Effect<A, E | AgentCallFailed, R>) =>
  Effect.catchIf(
    effect,
    (error): error is AgentCallFailed => isAgentCallFailed(error),
    (failure) => refusalOf(path, failure)
  )

const isAgentCallFailed = (error: unknown): error is AgentCallFailed =>
  (error as { readonly _tag?: unknown })._tag === "AgentCallFailed"
