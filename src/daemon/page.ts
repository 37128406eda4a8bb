import { type Context, Effect, FiberSet, Layer, Option, Queue, Schedule, Schema, Semaphore } from "effect"
import * as path from "node:path"
import type { Pyro } from "../contract/rows/Pyro.ts"
import { readJson, writeJsonAtomic } from "../system/files/atomic-file.ts"
import { removeFile } from "../system/files/entries.ts"
import { once } from "../system/waits/effects.ts"
import { clockReader } from "../system/waits/time.ts"
import type { Page } from "./app/page.ts"
import { makeListening } from "./page/listening.ts"
import type { Limits, WebSocket } from "./page/page-listener.ts"
import { type Connected, layerOperations } from "./page/page-operations.ts"
import { type KeptSession, Sessions } from "./page/sessions.ts"
import type { Serving } from "./server/handlers.ts"

/** State for the next daemon: browsers find the page at the same port, with the same sessions. */
export const KeptPage = Schema.Struct({
  port: Schema.Int,
  sessions: Schema.Array(Schema.Struct({
    cookie: Schema.String,
    key: Schema.String,
    usedAtMs: Schema.Number,
    user: Schema.optional(Schema.Int)
  }))
})
const nothing: typeof KeptPage.Type = { port: 0, sessions: [] }

export interface PageOptions {
  /** Directory of the built page. */
  readonly directory: string
  /** File of the state directory for the port and the sessions. */
  readonly file: string
  readonly serving: Serving
  readonly limits?: Partial<Limits>
}

/** Time between two looks at the sessions, in ms. */
const LOOK_MS = 60_000

/**
 * Serves the page to browsers of this user, when it is first opened, until the Scope closes. If an earlier daemon served the page, and a
 * browser may come back, this one listens at once.
 */
export const makePage = ({ directory, file, limits, serving }: PageOptions) =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const { nowMs } = yield* clockReader
    // The listener bounds the number of connections.
    const connected = yield* Queue.unbounded<Connected>()
    const open = new Map<WebSocket, KeptSession>()
    const context = yield* Effect.context<Pyro>()
    // Nothing of the request that opens the page is of use to the operations of pages.
    const operations = yield* once(
      Effect.updateContext(
        Layer.buildWithScope(layerOperations(serving, connected, open), scope),
        (_: Context.Context<never>) => context
      )
    )
    const one = yield* Semaphore.make(1)
    const known = Option.getOrElse(
      yield* Effect.orElseSucceed(readJson(file, KeptPage), () => Option.none()),
      () => nothing
    )
    const dirty = yield* Queue.sliding<void>(1)
    const sessions = new Sessions(nowMs, known.sessions, () => void Queue.offerUnsafe(dirty, undefined))

    const run = yield* FiberSet.makeRuntime<never>()

    const listening = makeListening({
      directory,
      folder: path.dirname(file),
      limits,
      sessions,
      ready: operations,
      connected: (webSocket, session) => void Queue.offerUnsafe(connected, { webSocket, session }),
      onLost: () => {
        sessions.clear()
        run(Effect.logError("pyro-port ended, so the page and its sessions ended too. Run: pyro ui"))
      }
    })

    const save = Effect.suspend(() => {
      const listener = listening.now()
      if (listener === undefined) return removeFile(file)
      const kept = sessions.kept()
      // Browsers send cookies and keys to any process that listens at this port.
      listener.keep(kept.length > 0)
      return writeJsonAtomic(file, KeptPage, { port: listener.port, sessions: kept })
    }).pipe(Effect.catch(({ message }) => Effect.logError(`the sessions of the page cannot be kept: ${message}`)))

    /**
     * Listens at the port of an earlier daemon, if no other process could take the port meanwhile. Otherwise the sessions and the port cannot be trusted:
     * another program may have put a service worker or cached files into the browsers that came there.
     */
    const listenAgain = Effect.flatMap(listening.at(known.port), ({ wasHeld }) => {
      if (wasHeld) return save
      sessions.clear()
      return Effect.andThen(
        listening.stop,
        Effect.logWarning(
          `the sessions of the page ended, because its port ${known.port} was free meanwhile. Run: pyro ui`
        )
      )
    })

    const openPage = (port: number | undefined) =>
      Effect.gen(function*() {
        const before = listening.now()
        if (before === undefined) {
          yield* listening.at(port ?? 0)
        } else if (port !== undefined && port !== before.port) {
          // Browsers keep cookies and keys by port: no session is worth anything at another one.
          yield* listening.at(port)
          before.keep(false)
          yield* Effect.promise(() => before.close())
          sessions.clear()
        } else {
          listening.renewFiles()
        }
        yield* save
        return { port: listening.now()!.port, token: sessions.token() }
      })

    const close = Effect.gen(function*() {
      const was = listening.now()
      sessions.clear()
      was?.keep(false)
      yield* listening.stop
      yield* save
      return was !== undefined
    })

    const look = Effect.suspend(() => {
      for (const session of open.values()) sessions.use(session)
      return sessions.isWanted() || open.size > 0 || listening.now() === undefined ? Effect.void : Effect.asVoid(close)
    })

    yield* Effect.forkScoped(Effect.forever(Effect.andThen(Queue.take(dirty), one.withPermits(1)(save))))
    yield* Effect.forkScoped(Effect.repeat(one.withPermits(1)(look), Schedule.spaced(LOOK_MS)))
    yield* Effect.addFinalizer(() => listening.stop)
    if (sessions.kept().length > 0) {
      yield* Effect.catch(listenAgain, ({ detail }) => {
        // Another program at the old port may have seen cookies.
        sessions.clear()
        return Effect.logWarning(`the page is not served until the next pyro ui: ${detail}`)
      })
    }
    return {
      open: (port) => Effect.uninterruptible(one.withPermits(1)(openPage(port))),
      close: Effect.uninterruptible(one.withPermits(1)(close))
    } satisfies Page["Service"]
  })
