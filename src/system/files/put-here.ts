import { Effect, type Scope } from "effect"
import { isUtf8 } from "node:buffer"
import * as fs from "node:fs"
import * as path from "node:path"
import { isWindows } from "../settings/this-computer.ts"
import { ContentHash } from "./digest.ts"
import { isPlainPath } from "./folded-name.ts"
import { PutFailed } from "./put-failed.ts"
import { type PutEntry, type PutPlace, putPlace } from "./put-records.ts"
import type { PutDone, PutRequest, SparsePut } from "./put-request.ts"
import {
  Beneath,
  demandRoom,
  hostFailure,
  isSame,
  look,
  makeStage,
  openFolder,
  placeNew,
  removeStage,
  trying,
  writeSparsely
} from "./tree-beneath.ts"

// What pyro-put does (native/put), by Node alone. tree-beneath.ts says what it cannot promise.

const CONFLICTS_TOLD = 20
const ATTEMPTS = 64

/** What became of an entry: `with` came along with its directory. */
type State = "new" | "absent" | "there" | "moved" | "with" | "replaced"

interface Entry {
  readonly type: PutEntry["type"]
  readonly mode: number
  readonly size: number
  readonly mtimeNs: bigint | undefined
  readonly target: Uint8Array | undefined
  /** Relative to the root, which has an empty one. */
  readonly path: string
  readonly above: Entry | undefined
  state: State
  /** The placed file or link. */
  placed?: fs.BigIntStats | undefined
}

const failed = (detail: string, reason: PutFailed["reason"] = "failed") =>
  new PutFailed({ reason, detail, conflicts: [] })

/** Reads the list as pyro-put does (native/put/plan.c). */
const planOf = (entries: Iterable<PutEntry>): ReadonlyArray<Entry> => {
  const plan: Array<Entry> = []
  const folders = new Map<string, Entry>()
  for (const { mode, mtimeNs, path: bytes, size, target, type } of entries) {
    if (!isUtf8(bytes)) throw failed("a name is not UTF-8, and this computer has no other ones")
    const own = Buffer.from(bytes).toString("utf8")
    const above = own === "" ? undefined : folders.get(own.slice(0, Math.max(0, own.lastIndexOf("/"))))
    if (plan.length === 0 ? own !== "" : !isPlainPath(own)) throw failed("a path leads elsewhere")
    if (plan.length > 0 && above === undefined) throw failed("an entry is not in the folder before it")
    if (type === "symlink" && (target === undefined || target.length === 0)) throw failed("a link leads nowhere")
    const entry: Entry = {
      type,
      mode: mode & 0o777,
      size: type === "file" ? size : 0,
      mtimeNs,
      target,
      path: own,
      above,
      state: "new"
    }
    if (type === "directory") folders.set(own, entry)
    plan.push(entry)
  }
  if (plan.length === 0) throw failed("there are no entries")
  return plan
}

/** Reason why an entry cannot replace what is there (native/put/place.c). */
const inTheWay = ({ type }: Entry, there: fs.BigIntStats, overwrite: boolean): string | undefined => {
  if (there.isDirectory()) return type === "directory" ? undefined : "a directory is there"
  if (type === "directory") {
    return there.isSymbolicLink() ? "a symbolic link is there, and is never followed" : "a file is there"
  }
  if (!there.isFile() && !there.isSymbolicLink()) return "a device, a pipe or a socket is there, and is never replaced"
  return overwrite ? undefined : "it is there already"
}

/** One output: its entries are staged, then placed, then all of it stays or none. */
class Writing {
  readonly #plan: ReadonlyArray<Entry>
  readonly #real: Beneath
  readonly #home: string
  readonly #name: string
  readonly #overwrite: boolean
  #staged: Beneath | undefined
  #next = 0
  #open: { readonly fd: number; readonly entry: Entry; at: number; written: number } | undefined
  #isOver = false

  constructor({ entries, name, overwrite, parent, within }: Omit<PutRequest, "entries"> & Pick<PutPlace, "entries">) {
    const base = openFolder(parent, within)
    this.#real = new Beneath(base)
    this.#name = name
    this.#overwrite = overwrite
    this.#plan = planOf(entries)
    this.#check()
    const root = path.join(base, name)
    // What is staged in the output itself is on its file system for certain.
    this.#home = this.#plan[0]!.type === "directory" && look(root)?.isDirectory() === true ? root : base
    demandRoom(this.#home, this.#plan.map(({ size }) => size))
    this.#staged = new Beneath(trying("cannot write in the folder of", name, () => makeStage(this.#home, ".pyro-put-")))
  }

  #realOf = ({ path: own }: Entry) => this.#real.at(own === "" ? this.#name : `${this.#name}/${own}`)
  #stagedOf = ({ path: own }: Entry) => this.#staged!.at(own === "" ? "root" : `root/${own}`)

  /** Fails with all conflicts that are there already. */
  #check() {
    const conflicts: Array<{ readonly path: Uint8Array; readonly reason: string }> = []
    let count = 0
    const there = new Set<Entry | undefined>([undefined])
    for (const entry of this.#plan) {
      if (!there.has(entry.above)) continue
      const found = trying("cannot look at", entry.path, () => look(this.#realOf(entry)))
      if (found === undefined) continue
      const reason = inTheWay(entry, found, this.#overwrite)
      if (reason === undefined && entry.type === "directory") there.add(entry)
      if (reason !== undefined && ++count <= CONFLICTS_TOLD) conflicts.push({ path: Buffer.from(entry.path), reason })
    }
    if (count > 0) {
      throw new PutFailed({
        reason: "conflict",
        detail: `${count} path${count === 1 ? " is" : "s are"} in the way`,
        conflicts
      })
    }
  }

  /** Stages what comes before the next file, and opens the file. */
  #file() {
    if (this.#open !== undefined) return this.#open
    for (;;) {
      const entry = this.#plan[this.#next++]
      if (entry === undefined) throw failed("there is more content than entries")
      if (entry.type !== "file") {
        this.#stage(entry)
        continue
      }
      const fd = trying("cannot create", entry.path, () => {
        const { O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_WRONLY } = fs.constants
        return fs.openSync(this.#stagedOf(entry), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, entry.mode)
      })
      return this.#open = { fd, entry, at: 0, written: 0 }
    }
  }

  #stage(entry: Entry) {
    trying("cannot create", entry.path, () => {
      const staged = this.#stagedOf(entry)
      if (entry.type === "symlink") return fs.symlinkSync(Buffer.from(entry.target!), staged)
      fs.mkdirSync(staged, { mode: 0o700 | entry.mode })
      // The list has the mode, and not the umask.
      if (!isWindows()) fs.chmodSync(staged, 0o700 | entry.mode)
    })
  }

  write(bytes: Uint8Array) {
    const file = this.#file()
    if (bytes.length > file.entry.size - file.written) throw failed("more content than was told")
    trying("cannot write", file.entry.path, () => writeSparsely(file.fd, bytes, file.at))
    file.at += bytes.length
    file.written += bytes.length
  }

  skip(bytes: number) {
    const file = this.#file()
    file.at += bytes
    trying("cannot write", file.entry.path, () => fs.ftruncateSync(file.fd, file.at))
  }

  /** Ends the present file. */
  end(isOmitted: boolean) {
    const { entry, fd } = this.#file()
    this.#open = undefined
    trying("cannot write", entry.path, () => {
      if (!isWindows()) fs.fchmodSync(fd, entry.mode)
      const { atimeMs } = fs.fstatSync(fd)
      if (entry.mtimeNs !== undefined) fs.futimesSync(fd, atimeMs / 1_000, Number(entry.mtimeNs) / 1e9)
      fs.closeSync(fd)
      if (!isOmitted) return
      entry.state = "absent"
      fs.unlinkSync(this.#stagedOf(entry))
    })
  }

  /** Gives everything its name, or nothing. */
  commit(): PutDone {
    for (let entry = this.#plan[this.#next]; entry !== undefined; entry = this.#plan[++this.#next]) {
      if (entry.type === "file") throw failed("the content of a file is missing")
      this.#stage(entry)
    }
    for (const entry of this.#plan) {
      if (entry.state === "absent") continue
      if (entry.above?.state === "moved" || entry.above?.state === "with") entry.state = "with"
      else trying("cannot create", entry.path, () => this.#place(entry))
    }
    // Nothing fails from here on.
    this.#isOver = true
    removeStage(this.#staged!.base)
    const pathsOf = (state: State) =>
      this.#plan.flatMap((entry) => entry.state === state ? [Buffer.from(entry.path)] : [])
    return { replaced: pathsOf("replaced"), there: pathsOf("there") }
  }

  #place(entry: Entry) {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const [staged, real] = [this.#stagedOf(entry), this.#realOf(entry)]
      const there = look(real)
      if (there === undefined) {
        if (this.#placeNew(entry, staged, real)) return
        continue
      }
      const reason = inTheWay(entry, there, this.#overwrite)
      if (reason !== undefined) {
        const detail = "something came in the way meanwhile"
        throw new PutFailed({ reason: "conflict", detail, conflicts: [{ path: Buffer.from(entry.path), reason }] })
      }
      if (entry.type === "directory") {
        entry.state = "there"
        return
      }
      this.#replace(entry, staged, real)
      return
    }
    throw failed(`cannot create ${entry.path}: it changes all the time`)
  }

  /** False if something has the name by now. A directory takes the place of nothing but an empty directory. */
  #placeNew(entry: Entry, staged: string, real: string): boolean {
    try {
      if (entry.type === "directory") fs.renameSync(staged, real)
      else placeNew(staged, real, entry.type === "symlink")
    } catch (cause) {
      if (/^(EEXIST|ENOTEMPTY|ENOTDIR)$/.test((cause as NodeJS.ErrnoException).code ?? "")) return false
      throw cause
    }
    entry.state = "moved"
    entry.placed = look(real)
    return true
  }

  /** The file that was there waits in the staging folder. */
  #replace(entry: Entry, staged: string, real: string) {
    const kept = this.#keptOf(entry)
    fs.renameSync(real, kept)
    try {
      placeNew(staged, real, entry.type === "symlink")
    } catch (cause) {
      if (look(real) === undefined) fs.renameSync(kept, real)
      throw cause
    }
    entry.state = "replaced"
    entry.placed = look(real)
  }

  #keptOf = (entry: Entry) => path.join(this.#staged!.base, `kept-${this.#plan.indexOf(entry)}`)

  /** Takes back what is placed, and removes what is staged. */
  withdraw() {
    if (this.#isOver || this.#staged === undefined) return
    this.#isOver = true
    if (this.#open !== undefined) fs.closeSync(this.#open.fd)
    let isKept = false
    for (const entry of this.#plan.toReversed()) {
      try {
        this.#undo(entry)
      } catch {
        isKept ||= entry.state === "replaced"
      }
    }
    // A file of the host that has no way back stays there.
    if (!isKept) removeStage(this.#staged.base)
  }

  #undo(entry: Entry) {
    if (entry.state !== "moved" && entry.state !== "replaced") return
    const real = this.#realOf(entry)
    const isOwn = isSame(look(real), entry.placed)
    if (isOwn && entry.type === "directory") {
      fs.renameSync(real, path.join(this.#staged!.base, `back-${this.#plan.indexOf(entry)}`))
    } else if (isOwn) fs.unlinkSync(real)
    if (entry.state !== "replaced") return
    if (look(real) !== undefined) throw failed("another file has the name")
    fs.renameSync(this.#keptOf(entry), real)
  }
}

const attempt = <A>(work: () => A): Effect.Effect<A, PutFailed> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(work())
    } catch (cause) {
      return cause instanceof PutFailed
        ? cause
        : typeof (cause as NodeJS.ErrnoException).code === "string"
        ? hostFailure("cannot write", "the output", cause)
        : Effect.die(cause)
    }
  })

/** By this process, for computers without pyro-put. What is staged stays if the process is killed. */
export const putHere = (request: PutRequest): Effect.Effect<SparsePut, PutFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const place = putPlace(request)
    const { folderOf, missing, own } = place
    const ownPaths = (paths: ReadonlyArray<Uint8Array>) => paths.flatMap((one) => own(one) ?? [])
    const inOwnPaths = <A>(work: Effect.Effect<A, PutFailed>) =>
      Effect.mapError(work, ({ conflicts, detail, free, needed, reason }) =>
        new PutFailed({
          reason,
          detail,
          needed,
          free,
          conflicts: conflicts.map(({ path: one, reason: why }) => ({ path: own(one) ?? folderOf(one), reason: why }))
        }))
    const writing = yield* Effect.acquireRelease(
      inOwnPaths(attempt(() => new Writing({ ...request, ...place }))),
      (made) => Effect.sync(() => made.withdraw())
    )
    const hash = new ContentHash()
    return {
      write: (bytes) =>
        inOwnPaths(attempt(() => {
          if (bytes.length === 0) return
          hash.add(bytes)
          writing.write(bytes)
        })),
      skip: (bytes) => inOwnPaths(attempt(() => bytes === 0 ? undefined : writing.skip(bytes))),
      endFile: inOwnPaths(attempt(() => {
        writing.end(false)
        return hash.take()
      })),
      omitFile: inOwnPaths(attempt(() => {
        hash.take()
        writing.end(true)
      })),
      commit: inOwnPaths(attempt(() => {
        const { replaced, there } = writing.commit()
        return {
          replaced: ownPaths(replaced),
          there: ownPaths(there),
          // Another program may have made the folder in the meantime.
          ...(missing === undefined || there.some(({ length }) => length === 0) ? {} : { made: missing })
        }
      }))
    }
  })
