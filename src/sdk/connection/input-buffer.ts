import { Deferred, Effect, type Scope, Stream } from "effect"
import type { RunInput, WindowSize } from "../../contract/rows/run-input.ts"
import { INPUT_BYTES } from "../../contract/wire/rpcs.ts"

/** Maximum input read ahead of the sender, in `bytes`. */
const AHEAD_BYTES = 2 * INPUT_BYTES
/** Sent input that stays buffered, in `bytes`: more than the buffers of daemon and channel. */
const KEPT_BYTES = 16 * INPUT_BYTES

/** Receiver of a command's input. */
export interface InputSink<E> {
  readonly write: (bytes: Uint8Array) => Effect.Effect<unknown, E>
  readonly end: Effect.Effect<unknown, E>
  readonly interrupt: Effect.Effect<unknown, E>
  readonly resize: (size: WindowSize) => Effect.Effect<unknown, E>
}

/**
 * A command's input, read once and buffered. After a lost connection, the next one gets the input that the command has not received.
 * The Scope ends the reading.
 */
export const makeInputBuffer = (input: RunInput) =>
  Effect.gen(function*() {
    const state = {
      pieces: [] as Array<Uint8Array>,
      begin: 0,
      end: 0,
      sent: 0,
      ended: false,
      size: undefined as WindowSize | undefined
    }
    let changed = Deferred.makeUnsafe<void>()
    const change = () => {
      const waited = changed
      // Before the waiting fibers resume: they may wait again.
      changed = Deferred.makeUnsafe<void>()
      Deferred.doneUnsafe(waited, Effect.void)
    }
    const until = (condition: () => boolean): Effect.Effect<void> =>
      Effect.suspend(() => condition() ? Effect.void : Effect.andThen(Deferred.await(changed), until(condition)))

    const add = (bytes: Uint8Array) =>
      Effect.suspend(() => {
        for (let at = 0; at < bytes.length; at += INPUT_BYTES) state.pieces.push(bytes.subarray(at, at + INPUT_BYTES))
        state.end += bytes.length
        change()
        return until(() => state.end - state.sent < AHEAD_BYTES)
      })
    const ended = Effect.sync(() => {
      state.ended = true
      change()
    })
    if (input.stdin !== undefined) {
      yield* Stream.runForEach(input.stdin, add).pipe(Effect.ensuring(ended), Effect.forkScoped)
    }
    if (input.resizes !== undefined) {
      const resized = (size: WindowSize) =>
        Effect.sync(() => {
          state.size = size
          change()
        })
      yield* Effect.forkScoped(Stream.runForEach(input.resizes, resized))
    }

    /** The input at an offset, as it was read. Empty at the end of the buffered input. */
    const at = (offset: number) => {
      let begin = state.begin
      for (const piece of state.pieces) {
        if (offset < begin + piece.length) return piece.subarray(offset - begin)
        begin += piece.length
      }
      return undefined
    }
    const wasSent = (offset: number) => {
      state.sent = Math.max(state.sent, offset)
      for (let first = state.pieces[0]; first !== undefined; first = state.pieces[0]) {
        if (state.begin + first.length > state.sent - KEPT_BYTES) break
        state.pieces.shift()
        state.begin += first.length
      }
      change()
    }

    const sendStdin = <E>(sink: InputSink<E>, offset: number): Effect.Effect<unknown, E> =>
      Effect.suspend(() => {
        const bytes = at(offset)
        if (bytes !== undefined) {
          const next = offset + bytes.length
          return sink.write(bytes).pipe(
            Effect.andThen(Effect.sync(() => wasSent(next))),
            Effect.andThen(sendStdin(sink, next))
          )
        }
        return state.ended
          ? sink.end
          : Effect.andThen(until(() => state.ended || state.end > offset), sendStdin(sink, offset))
      })
    const sendSizes = <E>(sink: InputSink<E>, last?: WindowSize): Effect.Effect<void, E> =>
      until(() => state.size !== last).pipe(
        Effect.andThen(Effect.suspend(() => {
          const { size } = state
          return size === undefined ? Effect.void : Effect.andThen(sink.resize(size), sendSizes(sink, size))
        }))
      )

    /** Sends the input from an offset on and the latest window size, until both end or the send is interrupted. */
    return <E>(sink: InputSink<E>, offset: number): Effect.Effect<void, never, Scope.Scope> =>
      Effect.gen(function*() {
        if (input.stdin !== undefined) yield* Effect.forkScoped(Effect.ignore(sendStdin(sink, offset)))
        if (input.resizes !== undefined) yield* Effect.forkScoped(Effect.ignore(sendSizes(sink)))
        if (input.interrupt !== undefined) {
          yield* Effect.forkScoped(Effect.ignore(Effect.andThen(input.interrupt, sink.interrupt)))
        }
      })
  })
