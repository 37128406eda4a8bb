import { Cause, Deferred, Effect, type Scope, Stream } from "effect"
import type { RunInput, WindowSize } from "../../contract/rows/run-input.ts"
import { allocateWithRoom } from "../../contract/wire/bulk-room.ts"
import { INPUT_BYTES, INPUT_HEADER, INPUT_REQUESTS, NO_STDIN_HEADER } from "../../contract/wire/rpcs.ts"

/** Maximum input that is read and not sent, in `bytes`: what the next requests take. */
const AHEAD_BYTES = (INPUT_REQUESTS + 1) * INPUT_BYTES
/** Sent input that stays buffered, in `bytes`: more than the buffers of daemon and channel. */
const KEPT_BYTES = 8 * INPUT_BYTES

/** From this size on, a request gets memory that an answered one had: V8 collects all garbage after some 20 MiB of new memory. */
const SHARED_BYTES = 65_536

/** Receiver of a command's input. */
export interface InputSink<E> {
  /** `at`: number of bytes that precede these. Succeeds once the daemon has them; then the bytes may change. */
  readonly write: (at: number, bytes: Uint8Array) => Effect.Effect<unknown, E>
  readonly end: Effect.Effect<unknown, E>
  readonly interrupt: Effect.Effect<unknown, E>
  readonly resize: (size: WindowSize) => Effect.Effect<unknown, E>
}

/** Wakes whoever waits for a change. */
const makeChanges = () => {
  let changed = Deferred.makeUnsafe<void>()
  const change = () => {
    const waited = changed
    // Before the waiting fibers resume: they may wait again.
    changed = Deferred.makeUnsafe<void>()
    Deferred.doneUnsafe(waited, Effect.void)
  }
  const until = (condition: () => boolean): Effect.Effect<void> =>
    Effect.suspend(() => condition() ? Effect.void : Effect.andThen(Deferred.await(changed), until(condition)))
  return { change, until }
}

/** The buffered part of an input. */
const makePieces = () => {
  const pieces: Array<Uint8Array> = []
  /** Places in the input: of the first buffered byte, after the last, and after the last that was sent. */
  let [begin, end, sent] = [0, 0, 0]
  const add = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; at += INPUT_BYTES) pieces.push(bytes.subarray(at, at + INPUT_BYTES))
    end += bytes.length
  }
  /** Memory of answered requests. A request that failed may still be on its way to the socket, and keeps its own. */
  const free: Array<Buffer> = []
  const joined = (pieces: ReadonlyArray<Uint8Array>, size: number) => {
    if (size < SHARED_BYTES) return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, size)
    const shared = free.pop() ?? allocateWithRoom(INPUT_BYTES)
    let end = 0
    for (const piece of pieces) {
      shared.set(piece, end)
      end += piece.length
    }
    return shared.subarray(0, size)
  }
  const release = (bytes: Uint8Array) => {
    if (bytes.length >= SHARED_BYTES) {
      free.push(Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, INPUT_BYTES))
    }
  }
  /** The buffered input from an offset on, for one request. Undefined at the end of the buffered input. */
  const at = (offset: number) => {
    const found: Array<Uint8Array> = []
    let place = begin
    let bytes = 0
    for (const piece of pieces) {
      const from = Math.max(0, offset - place)
      place += piece.length
      if (from >= piece.length) continue
      if (bytes > 0 && bytes + piece.length - from > INPUT_BYTES) break
      found.push(piece.subarray(from))
      bytes += piece.length - from
    }
    return bytes === 0 ? undefined : joined(found, bytes)
  }
  const wasSent = (offset: number) => {
    sent = Math.max(sent, offset)
    for (let first = pieces[0]; first !== undefined; first = pieces[0]) {
      if (begin + first.length > sent - KEPT_BYTES) break
      pieces.shift()
      begin += first.length
    }
  }
  return { add, at, release, wasSent, endsAt: () => end, unsentBytes: () => end - sent }
}

/** Headers of a request that an input with this id goes beside. */
export const inputHeaders = (id: string, { stdin }: RunInput = {}): Readonly<Record<string, string>> => ({
  [INPUT_HEADER]: id,
  ...(stdin === undefined ? { [NO_STDIN_HEADER]: "yes" } : {})
})

/**
 * A command's input, read once and buffered. After a lost connection, the next one gets the input that the command has not received.
 * The Scope ends the reading.
 */
export const makeInputBuffer = (input: RunInput) =>
  Effect.gen(function*() {
    const { change, until } = makeChanges()
    const read = makePieces()
    const state = { ended: false, size: undefined as WindowSize | undefined }

    const add = (bytes: Uint8Array) =>
      Effect.suspend(() => {
        read.add(bytes)
        change()
        return until(() => read.unsentBytes() < AHEAD_BYTES)
      })
    const ended = Effect.sync(() => {
      state.ended = true
      change()
    })
    /** Fails if the input fails: otherwise the daemon would take the bytes so far for the whole input. */
    const broken = Deferred.makeUnsafe<never>()
    if (input.stdin !== undefined) {
      yield* Stream.runForEach(input.stdin, add).pipe(
        Effect.matchCauseEffect({
          onSuccess: () => ended,
          onFailure: (cause) => Deferred.failCause(broken, cause)
        }),
        Effect.forkScoped
      )
    }
    /** Fails if the input cannot be read to its end. */
    const guard = <A, E, R>(work: Effect.Effect<A, E, R>) =>
      input.stdin === undefined ? work : Effect.raceFirst(work, Deferred.await(broken))
    if (input.resizes !== undefined) {
      const resized = (size: WindowSize) =>
        Effect.sync(() => {
          state.size = size
          change()
        })
      yield* Effect.forkScoped(Stream.runForEach(input.resizes, resized))
    }

    /** The input from an offset on, request by request, until its end. */
    const requestsFrom = (first: number) => {
      let offset = first
      const next: Effect.Effect<readonly [{ readonly from: number; readonly bytes: Uint8Array }], Cause.Done> = Effect
        .suspend(() => {
          const bytes = read.at(offset)
          if (bytes !== undefined) {
            const from = offset
            offset += bytes.length
            return Effect.succeed([{ from, bytes }] as const)
          }
          return state.ended ? Cause.done() : Effect.andThen(until(() => state.ended || read.endsAt() > offset), next)
        })
      return Stream.fromPull(Effect.succeed(next))
    }
    const sendStdin = <E>(sink: InputSink<E>, first: number): Effect.Effect<unknown, E> =>
      requestsFrom(first).pipe(
        Stream.mapEffect(
          ({ bytes, from }) =>
            Effect.andThen(
              sink.write(from - first, bytes),
              Effect.sync(() => {
                read.wasSent(from + bytes.length)
                change()
                read.release(bytes)
              })
            ),
          { concurrency: INPUT_REQUESTS }
        ),
        Stream.runDrain,
        Effect.andThen(sink.end)
      )
    const sendSizes = <E>(sink: InputSink<E>, last?: WindowSize): Effect.Effect<void, E> =>
      until(() => state.size !== last).pipe(
        Effect.andThen(Effect.suspend(() => {
          const { size } = state
          return size === undefined ? Effect.void : Effect.andThen(sink.resize(size), sendSizes(sink, size))
        }))
      )

    /** Sends the input from an offset on and the latest window size, until both end or the send is interrupted. */
    const play = <E>(sink: InputSink<E>, offset: number): Effect.Effect<void, never, Scope.Scope> =>
      Effect.gen(function*() {
        if (input.stdin !== undefined) yield* Effect.forkScoped(Effect.ignore(sendStdin(sink, offset)))
        if (input.resizes !== undefined) yield* Effect.forkScoped(Effect.ignore(sendSizes(sink)))
        if (input.interrupt !== undefined) {
          yield* Effect.forkScoped(Effect.ignore(Effect.andThen(input.interrupt, sink.interrupt)))
        }
      })
    return { guard, play }
  })
