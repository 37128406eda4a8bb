import { type Cause, Deferred, Effect, Exit, Queue, Stream } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import type { RunInput, StdinWriter, WindowSize } from "../../contract/rows/run-input.ts"
import { INPUT_BYTES, INPUT_REQUESTS } from "../../contract/wire/rpcs.ts"
import { Waiters } from "../../system/waits/signal.ts"

interface Input {
  readonly stdin: Queue.Queue<Uint8Array, Cause.Done>
  readonly resizes: Queue.Queue<WindowSize, Cause.Done>
  readonly interrupt: Deferred.Deferred<void>
  /** Bytes of stdin that have come in their order, and the requests whose bytes have come too early. */
  received: number
  readonly early: Waiters
  earlyPieces: number
  /** A request waits with the next bytes. */
  isTaking: boolean
  /** The operation has ended: no request waits any more. */
  isOver: boolean
  /** Pieces of stdin that the operation has not written yet. */
  waiting: number
  /** Set while the operation writes stdin by itself. */
  writer: StdinWriter | undefined
}

/** Maximum inputs without a command: a client may never run one. */
const MOST_WAITING = 64
/** Maximum remembered ids of ended commands. Their late input is dropped. */
const MOST_ENDED = 4_096
/** Maximum bytes before a piece that have not come yet: a client has few requests at a time. */
const MOST_MISSING_BYTES = INPUT_REQUESTS * INPUT_BYTES
/** Maximum pieces of an input that wait for an earlier one. Each lost line may leave some of its own for a moment. */
const MOST_EARLY = 16 * INPUT_REQUESTS

/** Not `Queue.shutdown`, which would interrupt a command that still reads. */
const drop = <A>(queue: Queue.Queue<A, Cause.Done>) => Effect.andThen(Queue.end(queue), Queue.collect(queue))
const shutdown = ({ resizes, stdin }: Input) => Effect.asVoid(Effect.andThen(drop(stdin), drop(resizes)))

const makeInput = Effect.gen(function*() {
  const made: Input = {
    stdin: yield* Queue.bounded<Uint8Array, Cause.Done>(2),
    resizes: yield* Queue.sliding<WindowSize, Cause.Done>(4),
    interrupt: Deferred.makeUnsafe<void>(),
    received: 0,
    early: new Waiters(),
    earlyPieces: 0,
    isTaking: false,
    isOver: false,
    waiting: 0,
    writer: undefined
  }
  return made
})

/** Writes the pieces that had to wait. All others go to the writer in the turn of their request. */
const writeTo = (input: Input) => (writer: StdinWriter) =>
  Effect.suspend(() => {
    input.writer = writer
    const write = (bytes: Uint8Array) => Effect.ensuring(writer.write(bytes), Effect.sync(() => input.waiting--))
    return Effect.ensuring(
      Stream.runForEach(Stream.fromQueue(input.stdin), write),
      Effect.sync(() => {
        input.writer = undefined
      })
    )
  })

const tryPiece = ({ waiting, writer }: Input, bytes: Uint8Array) => waiting === 0 && writer?.tryWrite(bytes) === true

/**
 * Requests of one connection are fibers of their own, whose order is not certain. After a lost connection the client sends again what had no answer:
 * bytes that have come already are dropped, also while an earlier request waits with them.
 */
const writePiece = (input: Input, at: number, bytes: Uint8Array): Effect.Effect<unknown, InvalidRequest> =>
  Effect.suspend(() => {
    if (input.isOver) return Effect.void
    const isDue = () => input.isOver || (at <= input.received && !input.isTaking)
    if (!isDue()) {
      if (at - input.received > MOST_MISSING_BYTES || input.earlyPieces >= MOST_EARLY) {
        return new InvalidRequest({
          field: "at",
          detail: `${at} is too far from the ${input.received} bytes that have come`
        })
      }
      input.earlyPieces++
      const wait = Effect.ensuring(input.early.wait(isDue), Effect.sync(() => void input.earlyPieces--))
      return Effect.andThen(wait, writePiece(input, at, bytes))
    }
    const end = at + bytes.length
    if (end <= input.received) return Effect.void
    const news = bytes.subarray(input.received - at)
    const taken = (isTaken: boolean) => {
      input.isTaking = false
      if (isTaken) input.received = end
      input.early.wake()
    }
    input.isTaking = true
    if (tryPiece(input, news)) return Effect.sync(() => taken(true))
    input.waiting++
    return Effect.onExit(Queue.offer(input.stdin, news), (exit) =>
      Effect.sync(() => {
        if (Exit.isFailure(exit)) input.waiting--
        taken(Exit.isSuccess(exit))
      }))
  })

/** Inputs of the commands that run for clients, by the id that the client gave them. */
export const makeInputs = () => {
  const waiting = new Map<string, Input>()
  const taken = new Map<string, Input>()
  const ended = new Set<string>()

  const forget = (id: string, input: Input) =>
    Effect.suspend(() => {
      waiting.delete(id)
      taken.delete(id)
      ended.add(id)
      if (ended.size > MOST_ENDED) ended.delete(ended.values().next().value!)
      input.isOver = true
      input.early.wake()
      return shutdown(input)
    })

  const knownOf = (id: string) => taken.get(id) ?? waiting.get(id)

  /** The input of a command that runs or will run. Undefined after the end of the command. */
  const get = (id: string) =>
    Effect.gen(function*() {
      const known = knownOf(id)
      if (known !== undefined || ended.has(id)) return known
      const oldest = waiting.size < MOST_WAITING ? undefined : waiting.entries().next().value
      if (oldest !== undefined) yield* forget(...oldest)
      const made = yield* makeInput
      // Another message of the command may have made its input meanwhile: a fiber may be suspended at any step.
      const other = knownOf(id)
      if (other !== undefined || ended.has(id)) return other
      waiting.set(id, made)
      return made
    })

  /** The input of a command that is about to run, until the Scope closes. */
  const take = (id: string) =>
    Effect.acquireRelease(
      Effect.gen(function*() {
        const input = (yield* get(id)) ?? (yield* makeInput)
        waiting.delete(id)
        taken.set(id, input)
        return input
      }),
      (input) => forget(id, input)
    ).pipe(
      Effect.map((input): RunInput => ({
        stdin: Stream.fromQueue(input.stdin),
        writeStdin: writeTo(input),
        resizes: Stream.fromQueue(input.resizes),
        interrupt: Deferred.await(input.interrupt)
      }))
    )

  const into = <E = never>(id: string, put: (input: Input) => Effect.Effect<unknown, E>) =>
    Effect.flatMap(get(id), (input) => input === undefined ? Effect.void : Effect.asVoid(put(input)))

  return {
    take,
    write: (id: string, at: number, bytes: Uint8Array) => into(id, (input) => writePiece(input, at, bytes)),
    end: (id: string) => into(id, ({ stdin }) => Queue.end(stdin)),
    interrupt: (id: string) => into(id, ({ interrupt }) => Deferred.succeed(interrupt, undefined)),
    resize: (id: string, size: WindowSize) => into(id, ({ resizes }) => Queue.offer(resizes, size))
  } as const
}
