import { Effect } from "effect"
import type { SyncPushed } from "../../../contract/rows/workspace-sync.ts"
import { GIT_LINK } from "../../../contract/text/git-mode.ts"
import { pathText } from "../../../contract/text/path-text.ts"
import { sha256Hex } from "../../../system/files/digest.ts"
import type { FileChange, FileContent, WalkEntry } from "../../guest-channel/model/files.ts"
import { type Kept, piecesOf } from "../model/kept.ts"
import { parentsOf, type PushedEntry, withinGit } from "../model/pushed.ts"
import { type GuestState, hasContent, isChanged, isFileOrLink } from "./guest-state.ts"
import { type HostFile, type HostTree, isGone, keepHost } from "./host-tree.ts"
import { looksEqual } from "./room.ts"

/** Plan of one push: changes of the guest's tree and of the baseline, and the report. */
interface Push {
  readonly guest: GuestState
  readonly host: HostTree
  /** Folder of the workspace, which stores pushed contents. */
  readonly folder: string
  readonly force: boolean
  readonly changes: Array<FileChange>
  readonly entries: Map<string, PushedEntry>
  readonly files: Array<SyncPushed["files"][number]>
  readonly conflicts: Array<{ readonly path: string; readonly reason: string }>
  readonly skipped: Array<{ readonly path: string; readonly reason: string }>
  /** Pushed files of the host. */
  readonly written: Array<HostFile>
  /** Files that the push should remove, and that stay. */
  readonly unremoved: Set<string>
  /** Directories above removed files. */
  readonly parentsOfRemoved: Set<string>
  bytes: number
  /** Files whose changes in the workspace `force` drops. */
  readonly overwritten: Array<string>
  /** Number of files that changed on the host, and that the guest already has. */
  equalCount: number
}

export const newPush = (of: Pick<Push, "guest" | "host" | "folder" | "force">): Push => ({
  ...of,
  changes: [],
  entries: new Map(),
  files: [],
  conflicts: [],
  skipped: [...of.host.skipped],
  written: [],
  unremoved: new Set(),
  parentsOfRemoved: new Set(),
  bytes: 0,
  overwritten: [],
  equalCount: 0
})

export const textOf = (name: string) => pathText(Buffer.from(name, "latin1"))

/** Adds a file or link of the host, unless the guest already has it or another entry blocks its path. */
export const planFile = (push: Push, name: string, file: HostFile) =>
  Effect.gen(function*() {
    const { guest } = push
    const path = Buffer.from(name, "latin1")
    const text = pathText(path)
    const before = guest.initial.get(name)
    const isLink = file.mode === GIT_LINK
    if (looksEqual(guest, name, file)) return
    const kept = yield* keepHost(push.folder, push.host.root, file)
    if (typeof kept === "string") return void push.skipped.push({ path: text, reason: kept })
    if (isLink && before?.link !== undefined && sha256Hex(before.link) === kept.sha256) return
    const known = guest.pushed.entries.get(name)
    if (known?._tag === "file" && known.mode === file.mode && known.sha256 === kept.sha256) return
    const blocked = (yield* clearParents(push, name)) ?? blockedBy(push, name)
    if (blocked !== undefined) return void push.conflicts.push({ path: text, reason: blocked })
    const live = guest.live.get(name)
    const equal = yield* hasContent(guest, live, file.mode, kept)
    const makesRoom = live?.type === "directory"
    if (!equal && !makesRoom && (yield* isChanged(guest, name))) {
      if (!push.force) return void push.conflicts.push({ path: text, reason: changedInGuest })
      push.overwritten.push(text)
    }
    const { sha256, size } = kept
    push.entries.set(name, { _tag: "file", mode: file.mode, sha256, size, mtimeNs: String(file.mtimeNs) })
    if (equal) return void push.equalCount++
    const taken = isFileOrLink(live) ? detach(live, push) : undefined
    push.changes.push(
      isLink
        ? { _tag: "link", path, target: Buffer.concat([...piecesOf(kept)]) }
        : { _tag: "file", path, content: fromKept(kept), mode: file.permissions, taken }
    )
    push.written.push(file)
    push.bytes += size
    push.files.push({ path: text, change: live === undefined ? "added" : "modified" })
  })

/** A kept content for the guest. A push of many large files takes no memory for them. */
export const fromKept = (kept: Kept): FileContent => ({ size: kept.size, pieces: () => piecesOf(kept) })

/** Removes a file or link that the host no longer has, unless the guest changed it. False if it stays. */
export const planRemoval = (push: Push, name: string) =>
  Effect.gen(function*() {
    const { guest } = push
    const live = guest.live.get(name)
    const stays = (reason: string) => {
      push.unremoved.add(name)
      push.conflicts.push({ path: textOf(name), reason })
      return false
    }
    const isTheirs = live !== undefined && (yield* isChanged(guest, name))
    if (isTheirs && !push.force) return stays(changedInGuest)
    if (live !== undefined && !isFileOrLink(live)) return stays(hasThere(live))
    push.entries.set(name, { _tag: "absent" })
    if (live === undefined) return true
    if (isTheirs) push.overwritten.push(textOf(name))
    for (const parent of parentsOf(name)) push.parentsOfRemoved.add(parent)
    detach(live, push)
    push.files.push({ path: textOf(name), change: "deleted" })
    return true
  })

/** Whether the guest still has a file or link of the baseline that the host no longer has. */
export const isLeftover = ({ entries, host, guest, unremoved }: Push, name: string): boolean =>
  !host.files.has(name) && !withinGit(name) && isFileOrLink(guest.live.get(name)) && entries.get(name) === undefined &&
  !unremoved.has(name) && isGone(host, name)

const changedInGuest = "it was changed in the workspace too"
const hasThere = ({ type }: WalkEntry) => `the workspace has a ${type} there`

/** Takes the guest's file out of the tree. Returns the number of the change. */
const detach = (live: WalkEntry, push: Push) =>
  push.changes.push({ _tag: "take", path: Buffer.from(live.path), seen: live }) - 1

const isGoing = ({ entries }: Push, name: string) => entries.get(name)?._tag === "absent"

/** Removes a file or link at the path of a new host directory. Gives the reason if the directory cannot be made. */
const clearParents = (push: Push, name: string) =>
  Effect.gen(function*() {
    for (const parent of parentsOf(name)) {
      const live = push.guest.live.get(parent)
      if (live === undefined || live.type === "directory" || isGoing(push, parent)) continue
      const isOurs = isFileOrLink(live) && push.guest.initial.has(parent) && !push.host.files.has(parent)
      if (!isOurs || push.unremoved.has(parent) || !(yield* planRemoval(push, parent))) {
        return "the workspace has no directory where it belongs"
      }
    }
    return undefined
  })

/** Reason why another entry of the guest blocks a path, such as a directory that partly stays. */
const blockedBy = (push: Push, name: string): string | undefined => {
  const at = push.guest.live.get(name)
  if (at === undefined || isFileOrLink(at)) return undefined
  // The guest's own directory stays, also an empty one.
  if (at.type !== "directory" || !push.parentsOfRemoved.has(name)) return hasThere(at)
  for (const [below, { type }] of push.guest.live) {
    if (below.startsWith(`${name}/`) && type !== "directory" && !isGoing(push, below)) return hasThere(at)
  }
  return undefined
}
