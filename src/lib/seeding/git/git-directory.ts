import { Effect } from "effect"
import { createHash } from "node:crypto"
import * as path from "node:path"
import { GIT_SUBMODULE } from "../../../contract/text/git-mode.ts"
import { contentIfPresent, writeFile } from "../../../system/files/content.ts"
import { ensureFolder, listFolder, renameFile } from "../../../system/files/entries.ts"
import { attempt } from "../../../system/files/failure.ts"
import { settle } from "../model/host-files.ts"
import type { History } from "../model/source.ts"
import type { Listed } from "../tree/listing.ts"
import { git, type GitRoom, withoutTree } from "./confined-git.ts"
import { committer, type Identity } from "./identity.ts"
import { believe, indexEntries, sealIndex } from "./index-file.ts"
import { resolveRef, sharedRefs } from "./repository.ts"
import { guestConfig, promisorOf, type Submodule, upstreamOf } from "./safe-config.ts"
import type { Scratch } from "./scratch.ts"

/** Content of a guest's `.git`, without the objects, which follow from it. */
export interface GitPlan {
  readonly history: History
  readonly head: string
  readonly refs: ReadonlyMap<string, string>
  readonly config: string
  readonly exclude: Buffer | undefined
  /** Attributes outside of the tree: of the repository, and of the host's user. */
  readonly attributes: Buffer | undefined
  readonly userAttributes: Buffer | undefined
  /** Rules of a sparse checkout. */
  readonly sparse?: Buffer | undefined
  readonly shallow: Buffer | undefined
  readonly index: Buffer | undefined
  /** Modification time of the index. */
  readonly indexSeconds: number
  /** Objects that only the index needs. */
  readonly staged: ReadonlyArray<string>
}

/** 2020-01-01, for files without a time of their own: `seed_epoch` of native/seed/image.h. */
const epochSeconds = 1_577_836_800

/** Equal keys mean equal directories. */
export const keyOf = (plan: GitPlan): string => {
  const hash = createHash("sha256")
  const part = (bytes: string | Uint8Array | undefined) => {
    hash.update(`${bytes === undefined ? "none" : bytes.length}\0`).update(bytes ?? "")
  }
  for (const text of ["git 1", plan.history, plan.head, JSON.stringify([...plan.refs]), plan.config]) part(text)
  // The index's time is left out: it depends on the files and on the time of the build, and an earlier index is as good.
  for (const bytes of [plan.exclude, plan.shallow, plan.index]) part(bytes)
  if (plan.sparse !== undefined) part(plan.sparse)
  for (const bytes of [plan.attributes, plan.userAttributes]) if (bytes !== undefined) part(bytes)
  return hash.digest("hex")
}

interface PlanOptions {
  /** Path of the `.git` in the workspace. @default .git */
  readonly at?: string
  /** Committer on this host, if the repository sets none. */
  readonly identity: Identity
  /** Submodules of the tree with files. @default none */
  readonly submodules?: ReadonlyArray<Submodule>
  /** Names of filters that files of the tree pass through. @default none */
  readonly filters?: ReadonlyArray<string>
  /** Wall clock. */
  readonly nowMs: number
}

/**
 * Plans a `.git` with the same state in the guest as the repository has on the host. The index has the times and sizes of the files,
 * which the guest's copies keep. So the guest's first `git status` reads only files that also differ from the index on the host.
 */
export const planGit = (
  scratch: Scratch,
  history: History,
  listed: ReadonlyArray<Listed>,
  { at = ".git", filters = [], identity, nowMs, submodules = [] }: PlanOptions
): GitPlan => {
  const { head, settings } = scratch
  const upstream = upstreamOf(settings, head.ref)
  const tracking = upstream === undefined
    ? undefined
    : resolveRef(scratch.repository.commonDir, upstream.tracking) ?? scratch.upstreamCommit
  // A history of a single commit has no other commit to compare with.
  const keepsUpstream = history === "full" || (tracking !== undefined && tracking === head.commit)
  const refs = new Map(history === "full" ? sharedRefs(scratch.repository.commonDir) : [])
  if (head.ref !== undefined && head.commit !== undefined) refs.set(head.ref, head.commit)
  if (keepsUpstream && upstream !== undefined && tracking !== undefined) refs.set(upstream.tracking, tracking)
  const index = contentIfPresent(path.join(scratch.room.gitDir, "index"))
  const { newest } = settleIndex(index, scratch.idBytes, listed)
  return {
    history,
    head: head.ref === undefined ? `${head.commit}\n` : `ref: ${head.ref}\n`,
    refs,
    config: guestConfig({
      settings,
      upstream: keepsUpstream ? upstream : undefined,
      identity: committer(settings, identity),
      submodules,
      filters,
      sparse: scratch.sparse,
      attributesFile: scratch.host.attributes === undefined ? undefined : `${GUEST_ROOT}/${at}/${USER_ATTRIBUTES}`
    }),
    exclude: at === ".git" ? Buffer.concat([guestExcludes, scratch.exclude ?? Buffer.alloc(0)]) : scratch.exclude,
    attributes: scratch.attributes,
    userAttributes: scratch.host.attributes,
    sparse: scratch.sparse?.patterns,
    shallow: history === "full"
      ? scratch.shallow
      : head.commit === undefined
      ? undefined
      : Buffer.from(`${head.commit}\n`),
    index,
    // git reads files that are as new as the index, because they may have changed in the same second. Once that second is over,
    // the index can be newer.
    indexSeconds: Math.max(newest + 2 <= nowMs / 1000 ? newest + 1 : newest, epochSeconds),
    staged: [
      ...new Set(
        listed.flatMap(({ id, mode, state }) =>
          (state === "tracked" || state === "sparse") && mode !== GIT_SUBMODULE && id !== "" ? [id] : []
        )
      )
    ]
  }
}

const GUEST_ROOT = "/workspace"

/** pnpm puts its store at the top of /workspace, because /workspace is a mount of its own. The host's rules may include it again. */
const guestExcludes = Buffer.from("# pyro: pnpm's store\n/.pnpm-store/\n")

/** Attributes of the host's user, which have the lowest precedence, in a guest's `.git`. */
const USER_ATTRIBUTES = "info/user-attributes"

/** Keeps the times and sizes of an index's entries, except those of changed files. */
const settleIndex = (index: Buffer | undefined, idBytes: number, listed: ReadonlyArray<Listed>) => {
  const changed = new Set(listed.flatMap(({ path, state }) => state === "changed" ? [path.toString("latin1")] : []))
  let newest = 0
  const entries = index === undefined ? undefined : indexEntries(index, idBytes)
  if (index === undefined || entries === undefined) return { newest }
  for (const entry of entries) {
    const believed = !changed.has(entry.path.toString("latin1"))
    const size = index.readUInt32BE(entry.offset + 36)
    if (believed) newest = Math.max(newest, entry.mtimeSeconds)
    believe(index, entry, believed ? { mtimeSeconds: entry.mtimeSeconds, size } : undefined)
  }
  sealIndex(index, idBytes)
  return { newest }
}

/** Makes the directory, and packs the objects into it. */
export const makeGitDirectory = (scratch: Scratch, plan: GitPlan, folder: string) =>
  Effect.gen(function*() {
    for (const made of ["objects/info", "objects/pack", "refs/heads", "refs/tags", "info"]) {
      yield* ensureFolder(path.join(folder, made))
    }
    const files: ReadonlyArray<readonly [name: string, content: string | Uint8Array | undefined]> = [
      ["HEAD", plan.head],
      ["config", plan.config],
      ["description", "made by pyro\n"],
      ["packed-refs", packedRefs(plan.refs)],
      ["info/exclude", plan.exclude],
      ["info/attributes", plan.attributes],
      [USER_ATTRIBUTES, plan.userAttributes],
      ["info/sparse-checkout", plan.sparse],
      ["shallow", plan.shallow],
      ["index", plan.index]
    ]
    for (const [name, content] of files) {
      if (content !== undefined) yield* writeFile(path.join(folder, name), content)
    }
    yield* packObjects(scratch, plan, folder)
    yield* attempt("utimes", folder, () => settle(folder, epochSeconds, new Map([["index", plan.indexSeconds]])))
  })

const packedRefs = (refs: ReadonlyMap<string, string>) =>
  `# pack-refs with: sorted \n${
    [...refs].sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
      .map(([name, id]) => `${id} ${name}\n`).join("")
  }`

/** Packs the objects that HEAD and the index need, or all that the refs reach. */
const packObjects = (scratch: Scratch, plan: GitPlan, folder: string) =>
  Effect.gen(function*() {
    const { commit } = scratch.head
    // git may write only into its room.
    const base = path.join(scratch.room.gitDir, "packed")
    const common = ["pack-objects", "-q", "--threads=1", "--delta-base-offset"] as const
    const room = withoutTree(scratch.room)
    const isPartial = promisorOf(scratch.settings) !== undefined
    const isFull = plan.history === "full"
    const wanted = [...new Set([...(isFull ? plan.refs.values() : []), ...(commit === undefined ? [] : [commit])])]
    if (isFull && !isPartial) {
      const revisions = [...new Set([...wanted, ...plan.staged])]
      if (revisions.length > 0) {
        yield* git(room, [...common, "--revs", base], { input: `${revisions.join("\n")}\n`, isLong: true })
      }
    } else {
      const options = [...(isPartial ? ["--missing=allow-any"] : []), ...(isFull ? [] : ["--no-walk"])]
      const reached = wanted.length === 0
        ? ""
        : (yield* git(room, ["rev-list", "--objects", ...options, "--stdin"], {
          input: `${wanted.join("\n")}\n`,
          isLong: true
        })).toString("latin1")
      const known = new Set(reached.split("\n").map((line) => line.split(" ", 1)[0]))
      const others = plan.staged.filter((id) => !known.has(id))
      const staged = isPartial ? yield* present(room, others) : others
      const input = `${reached}${staged.map((id) => `${id}\n`).join("")}`
      // Existing packs stay. A search for better deltas does not pay for a throw-away copy.
      if (input !== "" || isPartial) {
        yield* git(room, [...common, "--window=0", base], { input: Buffer.from(input, "latin1"), isLong: true })
      }
    }
    const made = (yield* listFolder(scratch.room.gitDir)).filter((name) => /^packed-[0-9a-f]+\.(pack|idx)$/.test(name))
    for (const name of made) {
      const to = path.join(folder, "objects/pack", name.replace(/^packed-/, "pack-"))
      yield* renameFile(path.join(scratch.room.gitDir, name), to)
      // This file tells the guest's git that the pack names objects which the clone never had.
      if (isPartial && name.endsWith(".pack")) yield* writeFile(to.replace(/pack$/, "promisor"), "")
    }
  })

/** Those of the objects that a partial clone has. */
const present = (room: GitRoom, ids: ReadonlyArray<string>) =>
  ids.length === 0
    ? Effect.succeed([])
    : Effect.map(
      git(room, ["cat-file", "--batch-check=%(objectname)"], { input: `${ids.join("\n")}\n`, isLong: true }),
      (output) => output.toString("latin1").split("\n").filter((line) => line !== "" && !line.endsWith(" missing"))
    )
