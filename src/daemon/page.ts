import { type Context, Effect, FiberSet, Layer, Option, Queue, Schedule, Schema, Semaphore } from "effect"
import * as path from "node:path"
import { PageUnavailable } from "../contract/errors/errors.ts"
import { command } from "../contract/errors/next-step.ts"
import type { Pyro } from "../contract/rows/Pyro.ts"
import { MESSAGE_BYTES } from "../contract/wire/serialization.ts"
import { readJson, writeJsonAtomic } from "../system/files/atomic-file.ts"
import { removeFile } from "../system/files/entries.ts"
import type { PortNotHeld } from "../system/processes/held-port.ts"
import { nativeTool } from "../system/processes/native.ts"
import { once } from "../system/waits/effects.ts"
import { clockReader } from "../system/waits/time.ts"
import type { Page } from "./app/page.ts"
import { admit, answer, type Answering } from "./page/answers.ts"
import { readPageFiles } from "./page/files.ts"
import type { Limits, Listener, WebSocket } from "./page/page-listener.ts"
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

const LIMITS = (): Limits => ({
  webSockets: 256,
  connections: 512,
  headMs: 5_000,
  // A frame may have more than one message.
  messageBytes: MESSAGE_BYTES + 65_536,
  // The browser of a person who runs pyro as root may belong to another user, who has the session then.
  user: process.getuid?.() || undefined
})

/** Time between two looks at the sessions, in ms. */
const LOOK_MS = 60_000

const refusal = (cause: unknown, port: number) => {
  const { message, reason, where } = cause as PortNotHeld
  return new PageUnavailable({
    detail: reason === "EADDRINUSE"
      ? `port ${port} of ${where} is already in use`
      : reason === "sock_diag"
      ? "the kernel does not tell which user has a connection; load its module: sudo modprobe tcp_diag"
      : `the host refuses: ${message}`
  })
}

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
    let listening: { readonly listener: Listener; answering: Answering } | undefined
    const known = Option.getOrElse(
      yield* Effect.orElseSucceed(readJson(file, KeptPage), () => Option.none()),
      () => nothing
    )
    const dirty = yield* Queue.sliding<void>(1)
    const sessions = new Sessions(nowMs, known.sessions, () => void Queue.offerUnsafe(dirty, undefined))

    const run = yield* FiberSet.makeRuntime<never>()

    const save = Effect.suspend(() => {
      if (listening === undefined) return removeFile(file)
      const { keep, port } = listening.listener
      const kept = sessions.kept()
      // Browsers send cookies and keys to any process that listens at this port.
      keep(kept.length > 0)
      return writeJsonAtomic(file, KeptPage, { port, sessions: kept })
    }).pipe(Effect.catch(({ message }) => Effect.logError(`the sessions of the page cannot be kept: ${message}`)))

    const stop = Effect.suspend(() => {
      const ended = listening
      listening = undefined
      return ended === undefined ? Effect.void : Effect.promise(() => ended.listener.close())
    })

    const listenAt = (port: number) =>
      Effect.gen(function*() {
        const files = readPageFiles(directory)
        if (files === undefined) {
          return yield* new PageUnavailable({
            detail: `${directory} has no page`,
            next: [command("Build it", "npm run build")]
          })
        }
        const tool = yield* Effect.mapError(
          nativeTool("pyro-port"),
          ({ fact, next }) => new PageUnavailable({ detail: fact, next })
        )
        const { listen } = yield* Effect.promise(() => import("./page/page-listener.ts"))
        yield* operations
        const behind = () => listening!.answering
        const onLost = () => {
          if (listening?.listener !== listener) return
          listening = undefined
          sessions.clear()
          run(Effect.logError("pyro-port ended, so the page and its sessions ended too. Run: pyro ui"))
        }
        const listener: Listener = yield* Effect.tryPromise({
          try: () =>
            listen<KeptSession>({ port, tool, directory: path.dirname(file), onLost }, {
              answer: (asked) => answer(behind(), asked),
              admit: (asked) => admit(behind(), asked),
              connected: (webSocket, session) => void Queue.offerUnsafe(connected, { webSocket, session })
            }, { ...LIMITS(), ...limits }),
          catch: (cause) => refusal(cause, port)
        })
        listening = { listener, answering: { port: listener.port, files, sessions } }
      })

    /**
     * Listens at the port of an earlier daemon, if no other process could take the port meanwhile. Otherwise the sessions and the port cannot be trusted:
     * another program may have put a service worker or cached files into the browsers that came there.
     */
    const listenAgain = Effect.flatMap(listenAt(known.port), () => {
      if (listening!.listener.wasHeld) return save
      sessions.clear()
      return Effect.andThen(
        stop,
        Effect.logWarning(
          `the sessions of the page ended, because its port ${known.port} was free meanwhile. Run: pyro ui`
        )
      )
    })

    const openPage = (port: number | undefined) =>
      Effect.gen(function*() {
        if (listening === undefined) {
          yield* listenAt(port ?? 0)
        } else if (port !== undefined && port !== listening.listener.port) {
          // Browsers keep cookies and keys by port: no session is worth anything at another one.
          const before = listening
          yield* listenAt(port)
          before.listener.keep(false)
          yield* Effect.promise(() => before.listener.close())
          sessions.clear()
        } else {
          const files = readPageFiles(directory)
          if (files !== undefined) listening.answering = { ...listening.answering, files }
        }
        yield* save
        return { port: listening!.listener.port, token: sessions.token() }
      })

    const close = Effect.gen(function*() {
      const was = listening !== undefined
      sessions.clear()
      listening?.listener.keep(false)
      yield* stop
      yield* save
      return was
    })

    const look = Effect.suspend(() => {
      for (const session of open.values()) sessions.use(session)
      return sessions.isWanted() || open.size > 0 || listening === undefined ? Effect.void : Effect.asVoid(close)
    })

    yield* Effect.forkScoped(Effect.forever(Effect.andThen(Queue.take(dirty), one.withPermits(1)(save))))
    yield* Effect.forkScoped(Effect.repeat(one.withPermits(1)(look), Schedule.spaced(LOOK_MS)))
    yield* Effect.addFinalizer(() => stop)
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
