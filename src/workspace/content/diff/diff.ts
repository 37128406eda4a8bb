import { Effect } from "effect"
import { InvalidRequest } from "../../../contract/errors/errors.ts"
import type { DiffFile, DiffPayload, DiffResult } from "../../../contract/rows/workspace-diff.ts"
import { firstOf, MAX_RESULT_BYTES } from "../../../contract/text/first-of.ts"
import { GIT_LINK, GIT_MODE_TEXT } from "../../../contract/text/git-mode.ts"
import { pathBytes, pathText } from "../../../contract/text/path-text.ts"
import { utf8Text } from "../../../contract/text/utf8.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { Change, Side } from "../../../lib/patch/model/patch.ts"
import { type LineCounts, patchOf } from "../../../lib/patch/patch-of.ts"
import { nothingPushed } from "../../../lib/seeding/model/pushed.ts"
import { workspaceTrees } from "../../life/guest/baseline.ts"
import { type Changes, type ChangesOptions, collectChanges, type Oversized } from "./changes.ts"
import { convertedPaths } from "./converted.ts"

/** Maximum number of named repositories in a result. */
const MAX_NESTED = 20
/** Maximum number of named files in a result that git converts. */
const MAX_CONVERTED = 20
/** Maximum number of files in a result. */
const MAX_LISTED = 20_000

/** Options that select the changes of a diff. */
export type DiffSelection = Pick<DiffPayload, "paths" | "includeIgnored" | "verified">

const ROOT = "/workspace"

/** A requested path: relative to /workspace or absolute beneath it, plain or in git's quoted form. */
const wantedPath = (text: string): Effect.Effect<Uint8Array, InvalidRequest> => {
  const outside = new InvalidRequest({ field: "paths", detail: `"${text}" is no path beneath ${ROOT}` })
  const bytes = pathBytes(text)
  if (bytes === undefined) return outside
  const path = Buffer.from(bytes).toString("latin1")
  if (path.startsWith("/") && path !== ROOT && !path.startsWith(`${ROOT}/`)) return outside
  const names = (path.startsWith("/") ? path.slice(ROOT.length) : path)
    .split("/")
    .filter((name) => name !== "" && name !== ".")
  return names.includes("..") ? outside : Effect.succeed(Buffer.from(names.join("/"), "latin1"))
}

export const changesOptions = (selection: DiffSelection): Effect.Effect<ChangesOptions, InvalidRequest> =>
  Effect.map(Effect.forEach(selection.paths, wantedPath), (paths) => ({
    paths,
    includeIgnored: selection.includeIgnored,
    verified: selection.verified
  }))

const modes = (old: Side["mode"] | undefined, after: Side["mode"] | undefined) => ({
  ...(old === undefined ? {} : { oldMode: GIT_MODE_TEXT[old] }),
  ...(after === undefined ? {} : { newMode: GIT_MODE_TEXT[after] })
})

const statusOf = (old: Side["mode"] | undefined, after: Side["mode"] | undefined, isRename: boolean) => {
  if (old === undefined) return "added"
  if (after === undefined) return "deleted"
  if ((old === GIT_LINK) !== (after === GIT_LINK)) return "type_changed"
  return isRename ? "renamed" : "modified"
}

const fileOf = (change: Change, counts: LineCounts | undefined): DiffFile => ({
  path: pathText(change.path),
  ...(change.from === undefined ? {} : { from: pathText(change.from) }),
  status: statusOf(change.before?.mode, change.after?.mode, change.from !== undefined),
  ...modes(change.before?.mode, change.after?.mode),
  ...(counts === undefined ? {} : counts),
  size: (change.after ?? change.before)?.content.length ?? 0
})

const fileOfOversized = ({ new: after, old, path }: Oversized): DiffFile => ({
  path: pathText(path),
  status: statusOf(old?.mode, after?.mode, false),
  ...modes(old?.mode, after?.mode),
  size: (after ?? old)?.size ?? 0,
  tooLarge: true
})

const fileOfMount = (path: Uint8Array): DiffFile => ({ path: pathText(path), status: "mounted", size: 0 })

const shownPatch = (head: Uint8Array, bytes: number) => {
  const { lossy, text } = utf8Text(head)
  return { patch: text, patchBytes: bytes, truncated: head.length < bytes, lossy }
}

/** Changes in the form of the result. */
export const differenceResult = (
  { changes, defaultRules, ignoredCount, missing, mounted, nested, oversized, specialCount }: Changes,
  payload: Pick<DiffPayload, "stat" | "nameOnly" | "verified" | "maxBytes">
): Effect.Effect<DiffResult> =>
  Effect.gen(function*() {
    const formatted = payload.nameOnly ? undefined : yield* patchOf(changes, payload.stat ? 0 : payload.maxBytes)
    const files = [
      ...changes.map((change) => fileOf(change, formatted?.counts.get(change))),
      ...oversized.map(fileOfOversized),
      ...mounted.map(fileOfMount)
    ]
    const having = (status: DiffFile["status"]) => files.filter((file) => file.status === status).length
    const sum = (field: "additions" | "deletions") => files.reduce((sum, file) => sum + (file[field] ?? 0), 0)
    const patch = formatted === undefined || payload.stat ? undefined : shownPatch(formatted.head, formatted.bytes)
    const listed = firstOf(files, {
      most: MAX_LISTED,
      maxBytes: MAX_RESULT_BYTES - Buffer.byteLength(patch?.patch ?? "")
    })
    return {
      summary: {
        files: files.length,
        added: having("added"),
        modified: having("modified"),
        deleted: having("deleted"),
        renamed: having("renamed"),
        typeChanged: having("type_changed"),
        ...(formatted === undefined ? {} : { additions: sum("additions"), deletions: sum("deletions") })
      },
      files: listed,
      unlisted: files.length - listed.length,
      ignoredCount,
      ...(defaultRules.length === 0 ? {} : { defaultRules }),
      ...(nested.length === 0 ? {} : { nestedCount: nested.length, nested: nested.slice(0, MAX_NESTED).map(pathText) }),
      ...(oversized.length === 0 ? {} : { tooLargeCount: oversized.length }),
      ...(mounted.length === 0 ? {} : { mountedCount: mounted.length }),
      specialCount,
      ...(missing.length === 0 ? {} : { missingPaths: missing.map(pathText) }),
      verified: payload.verified,
      ...patch,
      ...(formatted === undefined || oversized.length + mounted.length > 0 ? {} : { digest: formatted.digest })
    }
  })

/** Changes of a workspace since its creation or last reset. Changes nothing. */
export const diffWorkspace = (
  channel: GuestChannel,
  payload: Omit<DiffPayload, "workspace">,
  overrides: Pick<ChangesOptions, "trees" | "limits" | "pushed"> = {}
) =>
  Effect.gen(function*() {
    const options = { ...(yield* changesOptions(payload)), ...overrides }
    const found = yield* collectChanges(channel, options)
    const result = yield* differenceResult(found, payload)
    if (result.patch === undefined) return result
    const { pushed = nothingPushed, trees = workspaceTrees } = overrides
    const converted = yield* convertedPaths({ channel, pushed, trees }, found.changes)
    return converted.length === 0 ? result : {
      ...result,
      convertedCount: converted.length,
      converted: converted.slice(0, MAX_CONVERTED).map(pathText)
    }
  })
