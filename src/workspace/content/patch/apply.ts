import { Effect } from "effect"
import { FileRefused, InvalidRequest, PatchRejected } from "../../../contract/errors/errors.ts"
import { words } from "../../../contract/errors/next-step.ts"
import type { PatchApplied, PatchApplyPayload, PatchedFile } from "../../../contract/rows/workspace-patch.ts"
import { firstOf } from "../../../contract/text/first-of.ts"
import { GIT_LINK } from "../../../contract/text/git-mode.ts"
import { pathText } from "../../../contract/text/path-text.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { AgentCallFailed } from "../../../lib/guest-channel/model/errors.ts"
import type { FileChange } from "../../../lib/guest-channel/model/files.ts"
import { applyPatch, type PatchPlan } from "../../../lib/patch/apply.ts"
import { byteString, type Change, type Patch } from "../../../lib/patch/model/patch.ts"
import { parsePatch } from "../../../lib/patch/parse.ts"
import type { Pushed } from "../../../lib/seeding/model/pushed.ts"
import { changedMeanwhile, type GuestTree, guestTree } from "./guest-tree.ts"
import { asGitWrites } from "./new-files.ts"

const FILES_REPORTED = { most: 1_000, maxBytes: 8 * 1024 * 1024 }
const MAX_NOTES_REPORTED = 100

/**
 * Applies a patch beneath /workspace of a guest, whole or not at all, also on a full disk or with a concurrent change of its files.
 * With `check` it only reports the changes.
 */
export const applyPatchIn = (
  channel: GuestChannel,
  payload: Pick<PatchApplyPayload, "patch" | "patchBytes" | "check">,
  { root = "/workspace", rules }: {
    /** Directory of the guest. @default /workspace */
    readonly root?: string
    /** Rules of git about the seed from outside of the tree. */
    readonly rules?: Pushed["rules"]
  } = {}
) =>
  Effect.gen(function*() {
    const patch = yield* parsed(yield* patchOf(payload))
    const tree = guestTree(channel, root)
    const plan = yield* asGitWrites(channel, patch, yield* applyPatch(tree, patch), { root, rules })
    if (plan.changes.length === 0) return yield* changesNothing
    if (!payload.check) {
      const changes = yield* fileChanges(tree, plan.changes)
      yield* channel.changeFiles(root, changes).pipe(Effect.catchTag("AgentCallFailed", notChanged))
    }
    return report(plan, !payload.check)
  })

const changesNothing = new PatchRejected({
  detail: "it changes nothing: every file of the workspace that the patch names would stay as it is",
  rejects: []
})

const patchOf = ({ patch, patchBytes }: Pick<PatchApplyPayload, "patch" | "patchBytes">) => {
  if ((patch === undefined) === (patchBytes === undefined)) {
    return new InvalidRequest({ field: "patch", detail: "give the patch, once: as text or as bytes" })
  }
  return Effect.succeed(patchBytes ?? new TextEncoder().encode(patch))
}

const parsed = (bytes: Uint8Array): Effect.Effect<Patch, PatchRejected> =>
  Effect.try({
    try: () => parsePatch(bytes),
    catch: (error) => {
      if (error instanceof PatchRejected) return error
      throw error
    }
  })

/** The plan in the form of the agent. Removals come first. */
const fileChanges = (tree: GuestTree, changes: ReadonlyArray<Change>) =>
  Effect.gen(function*() {
    const steps: Array<FileChange> = []
    for (const { after, before, from, path } of changes) {
      let taken: number | undefined
      if (before !== undefined) {
        const seen = tree.seen(byteString(from ?? path))
        if (seen === undefined) return yield* changedMeanwhile(byteString(from ?? path))
        taken = steps.push({ _tag: "take", path: from ?? path, seen }) - 1
      }
      if (after === undefined) continue
      const isSameContent = before !== undefined && Buffer.compare(before.content, after.content) === 0 &&
        (before.mode === GIT_LINK) === (after.mode === GIT_LINK)
      // An unchanged mode stays exactly, although git knows only two modes.
      const mode = before?.mode === after.mode ? undefined : after.mode & 0o777
      if (isSameContent && taken !== undefined) steps.push({ _tag: "move", path, mode, taken })
      else if (after.mode === GIT_LINK) steps.push({ _tag: "link", path, target: after.content })
      else steps.push({ _tag: "file", path, content: after.content, mode, taken })
    }
    return steps
  })

const notChanged = ({ detail, errno }: AgentCallFailed): Effect.Effect<never, FileRefused | PatchRejected> => {
  const path = detail === "" ? "/workspace" : detail
  switch (errno) {
    case "ESTALE":
    case "EEXIST":
    case "ENOTEMPTY":
      return new PatchRejected({
        detail: `${path} changed while the patch was applied`,
        rejects: [],
        next: [words("Apply it again")]
      })
    case "ENOSPC":
    case "EDQUOT":
      return new FileRefused({
        path,
        reason: "no_space",
        detail: "the workspace's disk is full; nothing was changed",
        next: [words("Delete something in the workspace, and apply it again")]
      })
    default:
      return new FileRefused({ path, reason: "failed", detail: `could not be changed: ${errno}; nothing was changed` })
  }
}

const fileOf = ({ after, before, from, path }: Change, lineEndings: PatchedFile["lineEndings"]): PatchedFile => ({
  path: pathText(path),
  change: from !== undefined
    ? "renamed"
    : before === undefined
    ? "added"
    : after === undefined
    ? "deleted"
    : "modified",
  ...(from === undefined ? {} : { from: pathText(from) }),
  ...(lineEndings === undefined || after === undefined ? {} : { lineEndings })
})

const report = ({ changes, lineEnds, notes }: PatchPlan, applied: boolean): PatchApplied => ({
  applied,
  filesChanged: changes.length,
  files: firstOf(
    changes.slice(0, FILES_REPORTED.most).map((change) => fileOf(change, lineEnds.get(byteString(change.path)))),
    FILES_REPORTED
  ),
  notes: notes.slice(0, MAX_NOTES_REPORTED).map(({ hunk, isLoose, offset, path }) => ({
    path: pathText(path),
    hunk,
    offsetLines: offset,
    loose: isLoose
  }))
})
