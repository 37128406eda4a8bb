import { Effect, Option, Schema } from "effect"
import * as path from "node:path"
import { StateDirectoryUnusable } from "../contract/errors/errors.ts"
import { readVersioned, writeJsonAtomic } from "../system/files/atomic-file.ts"
import { sha256Hex } from "../system/files/digest.ts"
import { ensureFolder } from "../system/files/entries.ts"
import { type FileFailed, toHostErrorOf } from "../system/files/failure.ts"
import { acquireLock, type LockTimeout } from "../system/files/lock.ts"
import { Paths } from "../system/files/Paths.ts"

/** What pyro remembers about a project on this host, in its state directory: a repository could answer for the person otherwise. */
const Memory = Schema.Struct({
  format: Schema.Literal(1),
  /** Real path of the project's directory. */
  project: Schema.String,
  /** Grants of the person, phrase by phrase. */
  accepted: Schema.Array(Schema.String),
  /** Environment of the project's Dockerfile or dev container, as it was built last. */
  built: Schema.optional(Schema.String),
  workspace: Schema.optional(Schema.Struct({
    id: Schema.String,
    /** Number of setup commands that succeeded. */
    setUp: Schema.Int,
    /** The file as the workspace was made from it. */
    definition: Schema.Unknown
  }))
})
export type Memory = typeof Memory.Type
export type RememberedWorkspace = NonNullable<Memory["workspace"]>

const formats = { schema: Memory, upgrades: [] }

/** A file of the state directory for a project. */
const fileOf = (project: string, ending: string) =>
  Effect.flatMap(Paths, ({ stateDir }) => {
    const folder = path.join(stateDir, "projects")
    const digest = sha256Hex(new TextEncoder().encode(project)).slice(0, 32)
    return Effect.as(asStateError(ensureFolder(folder)), path.join(folder, `${digest}.${ending}`))
  })

const asStateError = <A, R>(work: Effect.Effect<A, FileFailed, R>) =>
  Effect.flatMap(Paths, ({ stateDir }) => Effect.mapError(work, toHostErrorOf(stateDir)))

/** Data that pyro keeps about a project; none for a new project. */
export const recall = (project: string) =>
  Effect.gen(function*() {
    const file = yield* fileOf(project, "json")
    const found = yield* readVersioned(file, formats).pipe(
      Effect.mapError((error) =>
        error._tag === "FormatTooNew"
          ? new StateDirectoryUnusable({ path: file, detail: "a newer pyro wrote it" })
          : toHostErrorOf(file)(error)
      )
    )
    return Option.getOrElse(found, (): Memory => ({ format: 1, project, accepted: [] }))
  })

export const remember = (memory: Memory) =>
  Effect.flatMap(fileOf(memory.project, "json"), (file) => asStateError(writeJsonAtomic(file, Memory, memory)))

/** One `up` or `down` of a project waits for another. An `up` may build an image and install dependencies. */
const WAIT_MS = 3_600_000

/** Holds the project until the Scope closes. `waiting` runs if another process holds it. */
export const holdProject = <R>(project: string, waiting: Effect.Effect<void, never, R>) =>
  Effect.gen(function*() {
    const file = yield* fileOf(project, "lock")
    const held = (timeoutMs: number) => acquireLock(file, { timeoutMs })
    yield* held(0).pipe(
      Effect.catchTag("LockTimeout", () => Effect.andThen(waiting, held(WAIT_MS))),
      Effect.mapError((error) =>
        error._tag === "HostToolMissing" ? error : new StateDirectoryUnusable({ path: file, detail: detailOf(error) })
      )
    )
  })

const detailOf = (error: FileFailed | LockTimeout) => error._tag === "LockTimeout" ? error.message : error.detail
