import { Effect, type Scope } from "effect"
import * as path from "node:path"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import { callerTenant } from "../../contract/wire/identity.ts"
import { ensureFolder, listIfPresent, makeFolder } from "../../system/files/entries.ts"
import type { FileFailed } from "../../system/files/failure.ts"
import { removeTree } from "../../system/files/remove-tree.ts"
import { clockReader } from "../../system/waits/time.ts"

/** Time after which files that no request uses are removed, in ms. */
const UNUSED_MS = 600_000
/** How often unused files are looked for, in ms. */
const LOOK_MS = 30_000
/** Maximum files at once: of all clients, and of one tenant. */
const MOST_HELD = 256
const MOST_OF_ONE = 64

/** Files under an id. */
export interface Held {
  readonly folder: string
  /** A directory, or one file. */
  readonly path: string
  /** What the client says about them. */
  readonly facts: unknown
  /** A request has written it. */
  readonly isOutput: boolean
  /** Whose they are. Undefined: the owner of the machine. */
  readonly tenant: string | undefined
}

/** What the end of a use means for the files. */
type After = (id: string) => Effect.Effect<unknown>

export const wrong = (detail: string) => new InvalidRequest({ field: "", detail })

const unknown = (id: string) =>
  wrong(`the spool has no files ${id}: they were used already, or ten minutes have gone by. Ask again`)

/** The files that the spool has, by id. Those of an earlier daemon are removed first. */
export const makeHolding = (trees: string) =>
  Effect.gen(function*() {
    const held = new Map<string, Held & { users: number; usedMs: number }>()
    const { monotonicMs } = yield* clockReader

    const remove = (id: string) =>
      Effect.suspend(() => {
        const found = held.get(id)
        held.delete(id)
        return found === undefined ? Effect.succeed(false) : Effect.as(Effect.ignore(removeTree(found.folder)), true)
      })

    yield* Effect.forEach(
      yield* listIfPresent(trees),
      (name) => Effect.ignore(removeTree(path.join(trees, name))),
      { discard: true }
    )
    yield* Effect.addFinalizer(() => Effect.forEach([...held.keys()], remove, { discard: true }))
    yield* Effect.suspend(() => {
      const untilMs = monotonicMs() - UNUSED_MS
      const over = [...held].filter(([, { usedMs, users }]) => users === 0 && usedMs < untilMs)
      return Effect.forEach(over, ([id]) => remove(id), { discard: true })
    }).pipe(Effect.delay(LOOK_MS), Effect.forever, Effect.forkScoped)

    return {
      /** Removes files of the caller's own tenant. */
      drop: (id: string) =>
        Effect.flatMap(callerTenant, (tenant) => held.get(id)?.tenant === tenant ? remove(id) : Effect.succeed(false)),
      has: (id: string) => held.has(id),
      remove,
      add: (id: string, one: Omit<Held, "tenant">) =>
        Effect.map(callerTenant, (tenant) => void held.set(id, { ...one, tenant, users: 0, usedMs: monotonicMs() })),
      /** A new folder for files of an id. The end of the Scope removes it, unless the files are added by then. */
      begin: (id: string): Effect.Effect<string, FileFailed | InvalidRequest, Scope.Scope> =>
        Effect.gen(function*() {
          const tenant = yield* callerTenant
          const own = [...held.values()].filter((one) => one.tenant === tenant).length
          if (held.size >= MOST_HELD || own >= MOST_OF_ONE) {
            return yield* wrong("the spool has files of many requests already: wait until some are done")
          }
          const folder = path.join(trees, id)
          yield* ensureFolder(trees)
          yield* Effect.acquireRelease(
            makeFolder(folder),
            () => held.has(id) ? Effect.void : Effect.ignore(removeTree(folder))
          )
          return folder
        }),
      /** The files of an id until the Scope closes. Of a client's files, one request alone. */
      use: (id: string, isOutput: boolean, after: After): Effect.Effect<Held, InvalidRequest, Scope.Scope> =>
        Effect.uninterruptible(Effect.flatMap(callerTenant, (tenant) => {
          const found = held.get(id)
          if (
            found === undefined || found.tenant !== tenant || found.isOutput !== isOutput ||
            (!isOutput && found.users > 0)
          ) {
            return Effect.fail(unknown(id))
          }
          found.users++
          const release = Effect.suspend(() => {
            found.users--
            found.usedMs = monotonicMs()
            return after(id)
          })
          return Effect.as(Effect.addFinalizer(() => release), found)
        }))
    } as const
  })
export type Holding = Effect.Success<ReturnType<typeof makeHolding>>
