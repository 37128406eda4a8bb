import { Cause, Effect, Exit, Option, Scope } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import { holdHeader } from "../../contract/wire/hold.ts"
import { RELEASE } from "../../contract/wire/rpcs.ts"
import { newRequestId } from "../../system/processes/identity.ts"
import { ConnectionLost, failureOf, isLost, type RequestFailure } from "./failures.ts"
import type { InputSink } from "./input-buffer.ts"
import type { Connection } from "./over.ts"
import { makePatience } from "./patience.ts"
import type { Session } from "./session.ts"

/** A line to a daemon: a connection, and the daemon at its other end. */
export interface Link {
  readonly connection: Connection
  /** Answer of the daemon to `hello`. */
  readonly daemonId: string
}

export interface HoldTimes {
  /** How long the daemon keeps the work of a lost client, in seconds. */
  readonly holdSeconds: number
  /** How long a request waits for a new connection, in ms. Less than the daemon's time: it may notice a loss earlier. */
  readonly patienceMs: number
}

/** Maximum requests that the daemon learns to be needed no more with the next connection. */
const MOST_FREED = 1_000

/** One request over all of its connections. */
const makeRequest = (holdSeconds: number) => {
  let id = newRequestId()
  let sentTo: string | undefined
  let attempts = 0
  return {
    id: () => id,
    /** A daemon may have begun it. */
    wasSent: () => attempts > 0,
    /** The header for a connection to this daemon. */
    header: (daemonId: string, had = 0) => {
      const again = sentTo
      sentTo ??= daemonId
      return holdHeader({
        id,
        seconds: holdSeconds,
        attempt: attempts++,
        had,
        ...(again === undefined ? {} : { again })
      })
    },
    /** The daemon of the last attempt did none of the work. An earlier one may have begun it. */
    wasRefused: () => {
      if (attempts > 1) return
      id = newRequestId()
      sentTo = undefined
      attempts = 0
    }
  }
}

const isAway = ({ _tag }: RequestFailure) => _tag === "DaemonUnavailable" || _tag === "ContextUnreachable"

/** The lines to a daemon, one after the other. */
const makeLines = (session: Session<Link>, patienceMs: number) =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const freed = new Set<string>()
    let last: Link | undefined
    const tell = ({ connection }: Link) =>
      Effect.suspend(() => {
        const ids = [...freed]
        freed.clear()
        return Effect.forEach(ids, connection.release, { discard: true })
      })
    const tellNow = Effect.suspend(() => last === undefined ? Effect.void : tell(last))
    /** Tells the daemon what it need not keep. Without a line, the next one tells it. */
    const free = (id: string) =>
      Effect.suspend(() => {
        freed.add(id)
        if (freed.size > MOST_FREED) freed.delete(freed.values().next().value!)
        return Effect.forkIn(tellNow, scope)
      })
    const lines = {
      /** The line that holds, or the next one. */
      line: Effect.tap(session.connection, (line) => {
        last = line
        return tell(line)
      }),
      free,
      /** What a failed request of a line means. */
      failed: (line: Link, failure: ConnectionLost) =>
        Effect.suspend(() => {
          if (line === last) last = undefined
          return session.failed(line, failure)
        })
    } as const
    return {
      ...lines,
      /** Ends a request that its caller has left. The line may be lost: the daemon has to confirm it, over the next line if need be. */
      end: (id: string) =>
        Effect.flatMap(makeAttempts(lines, patienceMs, repeatable), (attempts) =>
          Effect.forkIn(
            Effect.catch(
              trying(lines, attempts, ({ connection }) => connection.ask(RELEASE, { hold: id })),
              () => free(id)
            ),
            scope
          ))
    } as const
  })

interface Lines {
  readonly line: Effect.Effect<Link, PyroError>
  readonly free: (id: string) => Effect.Effect<unknown>
  readonly failed: (line: Link, failure: ConnectionLost) => Effect.Effect<ConnectionLost>
}
type SessionLines = Effect.Success<ReturnType<typeof makeLines>>

/** The attempts of one request. */
interface Attempts {
  /** Ends if the request is to be tried again, and fails if it is over. `line`: absent if there was none. */
  readonly again: (failure: RequestFailure, line: Link | undefined) => Effect.Effect<void, RequestFailure>
  /** An attempt has brought something. */
  readonly progress: () => void
}

/** Of requests that may be done again. */
const repeatable = { wasRefused: () => {}, wasSent: () => false }

const makeAttempts = (
  lines: Lines,
  patienceMs: number,
  { wasRefused, wasSent }: Pick<ReturnType<typeof makeRequest>, "wasRefused" | "wasSent">
): Effect.Effect<Attempts> =>
  Effect.map(makePatience(patienceMs), ({ renew, wait }) => {
    const orFail = (failure: RequestFailure) =>
      Effect.flatMap(wait, (mayTry) => mayTry ? Effect.void : Effect.fail(failure))
    const again: Attempts["again"] = (failure, line) => {
      if (line === undefined) {
        if (!isAway(failure)) return Effect.fail(failure)
        // What became of the work matters more than why there is no line.
        return orFail(wasSent() ? new ConnectionLost({ mayBeDone: true, isGivenUp: true }) : failure)
      }
      // The daemon has answered: the line holds.
      if (!isLost(failure) || failure.isForgotten) return Effect.fail(failure)
      return Effect.flatMap(lines.failed(line, failure), (meaning) => {
        if (!meaning.mayBeDone) wasRefused()
        return orFail(new ConnectionLost({ mayBeDone: true, isGivenUp: true }))
      })
    }
    return { again, progress: renew }
  })

/** Tries over one line after the other. */
const trying = <A>(
  lines: Lines,
  { again }: Attempts,
  attempt: (line: Link) => Effect.Effect<A, RequestFailure>
): Effect.Effect<A, RequestFailure> => {
  const once: Effect.Effect<A, RequestFailure> = Effect.suspend(() => {
    let over: Link | undefined
    return Effect.flatMap(lines.line, (line) => {
      over = line
      return attempt(line)
    }).pipe(Effect.catch((failure) => Effect.andThen(again(failure, over), once)))
  })
  return once
}

const askOver =
  (lines: SessionLines, { holdSeconds, patienceMs }: HoldTimes): Connection["ask"] =>
  (operation, payload, headers = {}) =>
    Effect.gen(function*() {
      const request = makeRequest(holdSeconds)
      const attempts = yield* makeAttempts(lines, patienceMs, request)
      const asked = trying(
        lines,
        attempts,
        ({ connection, daemonId }) => connection.ask(operation, payload, { ...headers, ...request.header(daemonId) })
      )
      return yield* Effect.onExit(asked, (exit) =>
        Exit.isFailure(exit) && Cause.hasInterrupts(exit.cause) ? lines.end(request.id()) : lines.free(request.id()))
    })

const eventsOver =
  (lines: SessionLines, { holdSeconds, patienceMs }: HoldTimes): Connection["events"] =>
  (row, payload, headers = {}, how) =>
    Effect.gen(function*() {
      const parent = yield* Effect.scope
      const request = makeRequest(holdSeconds)
      const { again, progress } = yield* makeAttempts(lines, patienceMs, request)
      let isOver = false
      yield* Effect.addFinalizer(() => isOver ? lines.free(request.id()) : lines.end(request.id()))
      let had = 0
      const begin = Effect.gen(function*() {
        const line = yield* lines.line
        const scope = yield* Scope.fork(parent)
        const all = { ...headers, ...request.header(line.daemonId, had) }
        const next = yield* Scope.provide(line.connection.events(row, payload, all, how), scope)
        return { line, next, scope }
      })
      type Begun = Effect.Success<typeof begin>
      let current = Option.getOrUndefined(yield* Effect.option(begin))
      const retry = (failure: RequestFailure, begun?: Begun) => {
        current = undefined
        const close = begun === undefined ? Effect.void : Scope.close(begun.scope, Exit.void)
        const ended = Effect.tapError(again(failure, begun?.line), () => Effect.sync(() => void (isOver = true)))
        return Effect.mapError(Effect.ensuring(ended, close), Option.some)
      }
      const next: Effect.Effect<ReadonlyArray<unknown>, Option.Option<RequestFailure>> = Effect.suspend(() => {
        const begun = current
        if (begun === undefined) {
          return Effect.matchEffect(begin, {
            onFailure: (failure) => Effect.andThen(retry(failure), next),
            onSuccess: (made) => {
              current = made
              return next
            }
          })
        }
        // Events that have come are counted.
        return Effect.uninterruptibleMask((restore) =>
          Effect.matchEffect(restore(begun.next()), {
            onFailure: (end) => {
              isOver = Option.isNone(end)
              return Option.isNone(end) ? Effect.fail(end) : restore(Effect.andThen(retry(end.value, begun), next))
            },
            onSuccess: (events) => {
              had += events.length
              progress()
              return Effect.succeed(events)
            }
          })
        )
      })
      return () => next
    })

/** Input that is sent again is dropped by the daemon: each piece has its place. */
const inputOver = (lines: Lines, { patienceMs }: HoldTimes): Connection["input"] => (id) => {
  const over = (send: (sink: InputSink<unknown>) => Effect.Effect<unknown, unknown>) =>
    Effect.flatMap(
      makeAttempts(lines, patienceMs, repeatable),
      (attempts) =>
        trying(lines, attempts, ({ connection }) =>
          Effect.catchCause(send(connection.input(id)), (cause) =>
            Effect.failCause(failureOf("input", cause))))
    )
  return {
    write: (at, bytes) => over((sink) => sink.write(at, bytes)),
    end: over((sink) => sink.end),
    interrupt: over((sink) => sink.interrupt),
    resize: (size) => over((sink) => sink.resize(size))
  }
}

/**
 * A session whose requests survive the loss of their line: the daemon keeps their work, and the next line goes on where the last one ended. A
 * request fails with `ConnectionLost` only if no line comes in time, or if the daemon has forgotten the request.
 */
export const makeResuming = (session: Session<Link>, times: HoldTimes) =>
  Effect.map(makeLines(session, times.patienceMs), (lines): Session => ({
    connection: Effect.succeed({
      ask: askOver(lines, times),
      events: eventsOver(lines, times),
      input: inputOver(lines, times),
      release: (id) => Effect.asVoid(lines.free(id))
    }),
    failed: (_, failure) => Effect.succeed(failure)
  }))
