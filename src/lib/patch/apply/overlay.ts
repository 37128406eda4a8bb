import { Effect } from "effect"
import { GIT_LINK } from "../../../contract/text/git-mode.ts"
import { bytesOf, type Change, type FilePatch, limits, type Patch, type PatchTree, type Side } from "../model/patch.ts"

type Seen =
  | { readonly _tag: "absent" }
  | { readonly _tag: "file"; readonly side: Side }
  | { readonly _tag: "directory" }
  | { readonly _tag: "other"; readonly what: string }
  /** The path exists, and a patch cannot change it. */
  | { readonly _tag: "unfit"; readonly reason: string }

interface Conflict {
  readonly path: string
  readonly reason: string
}

/**
 * A tree with the changes of the first parts of a patch. Files may swap paths: a moved file waits for a later part that frees its path.
 */
export class Overlay<E> {
  readonly #tree: PatchTree<E>
  /** Changed paths; null = gone. */
  readonly #laid = new Map<string, Side | null>()
  readonly #waiting = new Map<string, Side>()
  /** Number of later parts that vacate a path. */
  readonly #leaving = new Map<string, number>()
  /** By the path after: the path before of each file that was moved. */
  readonly #movedFrom = new Map<string, string>()
  readonly #read = new Map<string, Side>()
  #bytes = 0

  constructor(tree: PatchTree<E>, patch: Patch) {
    this.#tree = tree
    for (const file of patch.files) {
      if (vacates(file)) this.#leaving.set(file.from, (this.#leaving.get(file.from) ?? 0) + 1)
    }
  }

  /** State of the tree that a part of the patch finds. */
  at(path: string): Effect.Effect<Seen, E> {
    const laid = this.#laid.get(path)
    if (laid === null) return Effect.succeed({ _tag: "absent" })
    return laid === undefined ? this.#original(path) : Effect.succeed({ _tag: "file", side: laid })
  }

  /** Lays the result of one part over the tree. */
  put(file: FilePatch, side: Side): Effect.Effect<Conflict | undefined, E> {
    return Effect.gen({ self: this }, function*() {
      this.#bytes += side.content.length
      if (this.#bytes > limits.total) return { path: file.to ?? file.from!, reason: tooMuch }
      if (vacates(file)) this.#vacate(file.from)
      const { from, to } = file
      if (to === undefined) return undefined
      if (to === from) {
        this.#laid.set(to, side)
        return undefined
      }
      const there = yield* this.at(to)
      if (from !== undefined && !file.isCopy) this.#movedFrom.set(to, this.#movedFrom.get(from) ?? from)
      if (there._tag === "absent" || there._tag === "directory") {
        this.#laid.set(to, side)
        return undefined
      }
      if ((this.#leaving.get(to) ?? 0) === 0 || this.#waiting.has(to)) {
        return { path: to, reason: "it is there already" }
      }
      this.#waiting.set(to, side)
      return undefined
    })
  }

  /** A part that does not fit is skipped, so that it causes no further failures. */
  giveUp(file: FilePatch) {
    if (vacates(file)) this.#vacate(file.from)
  }

  /** Paths at which the result would have both a file and a directory. */
  conflicts(): Effect.Effect<Array<Conflict>, E> {
    return Effect.gen({ self: this }, function*() {
      const conflicts: Array<Conflict> = []
      const sound = new Set<string>()
      for (const [path, side] of this.#laid) {
        if (side === null) continue
        const blocked = yield* this.#blockedAt(path, sound)
        if (blocked !== undefined) conflicts.push({ path, reason: `${blocked} is no directory` })
        else if (!(yield* this.#vanishes(path))) conflicts.push({ path, reason: "it is a directory, and not empty" })
      }
      return conflicts
    })
  }

  /** The changes of the overlay to the tree. */
  changes(): Effect.Effect<Array<Change>, E> {
    return Effect.gen({ self: this }, function*() {
      const changes: Array<Change> = []
      const before = (path: string) =>
        Effect.map(this.#original(path), (seen) => seen._tag === "file" ? seen.side : undefined)
      const moved = new Set<string>()
      for (const [to, from] of this.#movedFrom) {
        const side = this.#laid.get(to)
        const old = yield* before(from)
        // A true rename: the old path is empty afterwards, the new one was empty before.
        if (side == null || old === undefined || this.#laid.get(from) !== null || moved.has(from)) continue
        if ((yield* before(to)) !== undefined || (old.mode === GIT_LINK) !== (side.mode === GIT_LINK)) continue
        changes.push({ path: bytesOf(to), from: bytesOf(from), before: old, after: side })
        moved.add(from).add(to)
      }
      for (const [path, side] of this.#laid) {
        if (moved.has(path)) continue
        const change = { path: bytesOf(path), before: yield* before(path), after: side ?? undefined }
        if (!isSame(change)) changes.push(change)
      }
      return changes
    })
  }

  #vacate(path: string) {
    this.#leaving.set(path, this.#leaving.get(path)! - 1)
    const next = this.#waiting.get(path)
    this.#waiting.delete(path)
    this.#laid.set(path, next ?? null)
  }

  #original(path: string): Effect.Effect<Seen, E> {
    return Effect.gen({ self: this }, function*() {
      const known = this.#read.get(path)
      if (known !== undefined) return { _tag: "file", side: known }
      const found = yield* this.#tree.at(path)
      if (found._tag !== "file") return found
      if (found.size > limits.file) return { _tag: "unfit", reason: "it is too large to be patched" }
      this.#bytes += found.size
      if (this.#bytes > limits.total) return { _tag: "unfit", reason: tooMuch }
      const side = { mode: found.mode, content: yield* this.#tree.content(path) }
      this.#read.set(path, side)
      return { _tag: "file", side }
    })
  }

  /** The directory above a path that is no directory in the result. */
  #blockedAt(path: string, sound: Set<string>): Effect.Effect<string | undefined, E> {
    return Effect.gen({ self: this }, function*() {
      for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
        const above = path.slice(0, slash)
        if (sound.has(above)) continue
        const laid = this.#laid.get(above)
        if (laid === null) continue
        if (laid !== undefined) return above
        const found = yield* this.#tree.at(above)
        if (found._tag !== "absent" && found._tag !== "directory") return above
        sound.add(above)
      }
      return undefined
    })
  }

  /** Whether the tree has no directory at a path, or none of its files are left. */
  #vanishes(path: string): Effect.Effect<boolean, E> {
    return Effect.gen({ self: this }, function*() {
      if (this.#laid.get(path) === null) return true
      const found = yield* this.#tree.at(path)
      if (found._tag === "absent") return true
      if (found._tag !== "directory") return this.#laid.has(path)
      for (const name of found.names) {
        const below = `${path}/${name}`
        if (this.#laid.get(below) === null) continue
        if (this.#laid.has(below) || (yield* this.#tree.at(below))._tag !== "directory") return false
        if (!(yield* this.#vanishes(below))) return false
      }
      return true
    })
  }
}

const tooMuch = `the files of the patch come to more than ${limits.total / 1024 / 1024} MiB`

const vacates = (file: FilePatch): file is FilePatch & { readonly from: string } =>
  file.from !== undefined && file.from !== file.to && !file.isCopy

const isSame = ({ after, before }: Change) =>
  before?.mode === after?.mode && Buffer.compare(before?.content ?? empty, after?.content ?? empty) === 0
const empty = new Uint8Array(0)
