import { Effect, Stream } from "effect"
import { type ChannelFailed, ExportRefused, FileRefused, InvalidRequest } from "../../../contract/errors/errors.ts"
import type { ExportPayload } from "../../../contract/rows/workspace-export.ts"
import { shown } from "../../../lib/exporting/names.ts"
import { entryOf, exclusion, TreeCollector, type TreeEntry } from "../../../lib/exporting/tree.ts"
import type { AgentCallFailed } from "../../../lib/guest-channel/model/errors.ts"
import type { WalkEntry } from "../../../lib/guest-channel/model/files.ts"
import { bytesOf, hasGitName, raw } from "../../../system/files/folded-name.ts"
import type { ExportChannel } from "./contents.ts"
import { guestPath, refusalOf, WORKSPACE_ROOT } from "./guest-path.ts"

const directory = (path: string): WalkEntry => ({
  type: "directory",
  mode: 0o755,
  uid: 0,
  gid: 0,
  size: 0,
  ino: 0n,
  mtimeNs: 0n,
  ctimeNs: 0n,
  nlink: 1,
  path: bytesOf(path),
  linkTarget: new Uint8Array(0)
})

const everything: TreeEntry = { path: "", type: "directory", mode: 0o755, size: 0 }

/** The requested paths, raw and relative to /workspace; "" is all of it. */
export const selectedPaths = (
  { path, paths }: Pick<ExportPayload, "path" | "paths">
): Effect.Effect<readonly [string, ...ReadonlyArray<string>], FileRefused | ExportRefused | InvalidRequest> =>
  Effect.gen(function*() {
    const selected: Array<string> = []
    for (const asked of path === "" && paths.length > 0 ? paths : [path, ...paths]) {
      const one = guestPath(asked)
      if (typeof one !== "string") return yield* one
      if (hasGitName(one)) {
        return yield* new ExportRefused({ detail: "nothing in a git directory is exported", paths: [shown(one)] })
      }
      if (!selected.includes(one)) selected.push(one)
    }
    const [first = "", ...others] = selected
    if (others.length > 0 && selected.includes("")) {
      return yield* new InvalidRequest({
        field: "paths",
        detail: "one of the paths is all of /workspace; name it alone"
      })
    }
    return [first, ...others]
  })

/** The entries to export: the tree of one path, or each of several paths at its place beneath the directory `from` of the guest. */
export const collectSelection = (
  channel: ExportChannel,
  selected: readonly [string, ...ReadonlyArray<string>],
  root: TreeEntry,
  payload: Pick<ExportPayload, "exclude" | "maxEntries" | "maxMib">,
  from: string = WORKSPACE_ROOT
): Effect.Effect<TreeCollector, ExportRefused | FileRefused | ChannelFailed> =>
  Effect.gen(function*() {
    const [first, ...others] = selected
    const isSeveral = others.length > 0
    const excluded = exclusion(payload.exclude)
    const collector = new TreeCollector(root, payload, (path, isDirectory) =>
      excluded(isSeveral || first === "" ? path : `${first}/${path}`, isDirectory))
    const add = (found: WalkEntry): Effect.Effect<void, ExportRefused> =>
      collector.add(found) ?? Effect.void
    for (const path of selected) {
      let prefix = ""
      if (isSeveral) {
        for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
          yield* add(directory(path.slice(0, slash)))
        }
        const { found } = yield* rootOf(channel, path, from)
        yield* add({ ...found, path: bytesOf(path) })
        if (found.type !== "directory") {
          continue
        }
        prefix = `${path}/`
      }
      yield* Stream.runForEach(
        channel.walk({ root: from, path: bytesOf(path), attributes: true }),
        (found) =>
          add(prefix === "" ? found : { ...found, path: Buffer.concat([bytesOf(prefix), found.path]) })
      ).pipe(refusals(path))
    }
    return collector
  })

/** The entry at a path of the guest. Follows no link: the target would be exported under another name. */
export const rootEntry = (
  channel: ExportChannel,
  path: string,
  from: string = WORKSPACE_ROOT
): Effect.Effect<TreeEntry, FileRefused | ChannelFailed> =>
  path === "" ? Effect.succeed(everything) : Effect.map(rootOf(channel, path, from), ({ entry }) => entry)

const rootOf = (channel: ExportChannel, path: string, from: string) =>
  Effect.gen(function*() {
    const slash = path.lastIndexOf("/")
    const name = path.slice(slash + 1)
    const walked = channel.walk({
      root: from,
      path: bytesOf(path.slice(0, Math.max(slash, 0))),
      maxDepth: 1,
      attributes: true
    })
    const found = yield* Stream.runHead(Stream.filter(walked, (entry) => raw(entry.path) === name)).pipe(
      refusals(path)
    )
    if (found._tag === "None") return yield* refusalOf(path, { errno: "ENOENT", message: "" })
    const entry = entryOf("", found.value)
    const refused = (detail: string) => new FileRefused({ path: shown(path), reason: "not_a_file", detail })
    if (typeof entry === "string") return yield* refused(`${entry}, not a file or directory`)
    if (entry.type === "symlink") return yield* refused("it is a symbolic link; name what it points to")
    return { entry, found: found.value }
  })

const refusals = (path: string) => <A, E, R>(effect: Effect.Effect<A, E | AgentCallFailed, R>) =>
  Effect.catchIf(
    effect,
    (error): error is AgentCallFailed => (error as { readonly _tag?: unknown })._tag === "AgentCallFailed",
    (failure) => refusalOf(path, failure)
  )
