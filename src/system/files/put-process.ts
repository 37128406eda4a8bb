import { Deferred, Effect, type Scope } from "effect"
import { type ChildProcessByStdio, spawn } from "node:child_process"
import type { Readable, Writable } from "node:stream"
import type { PutRecords } from "./put-records.ts"

type Child = ChildProcessByStdio<Writable, Readable, Readable>

/** A running helper that reads one stream of bytes, and reports records. */
interface PutProcess<E> {
  /** Collects bytes on their way. False if enough are collected. */
  readonly add: (bytes: Uint8Array) => boolean
  /** Sends what is collected, and waits while the pipe is full. */
  readonly flush: Effect.Effect<void, E>
  /** Sends bytes, now or with later ones. */
  readonly send: (bytes: Uint8Array) => Effect.Effect<void, E>
  /** Waits until the helper reports that it is ready. */
  readonly ready: Effect.Effect<void, E>
  /** Waits for the helper's end. Fails if it ended without success. */
  readonly ended: Effect.Effect<void, E>
}

/** Maximum time that the Scope waits for the removal of staged files. The helper continues without it. */
const withdrawTimeout = "30 seconds"

/** Starts a helper whose input ends with the Scope: it then takes back what it has not completed, and so it does if this process dies. */
export const putProcess = <E>(
  tool: string,
  args: ReadonlyArray<string>,
  said: PutRecords,
  failureOf: (detail: string) => E
): Effect.Effect<PutProcess<E>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const ready = yield* Deferred.make<void>()
    const ended = yield* Deferred.make<void, E>()
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => start({ tool, args, said, ready, ended, failureOf })),
      (child) =>
        Effect.sync(() => child.stdin.destroy()).pipe(
          Effect.andThen(Effect.exit(Deferred.await(ended))),
          Effect.interruptible,
          Effect.timeoutOption(withdrawTimeout)
        )
    )
    const outgoing = new Outgoing(child.stdin)
    const flush = Effect.suspend(() =>
      outgoing.flush() ? Effect.void : Effect.raceFirst(drained(child), Deferred.await(ended))
    )
    return {
      add: (bytes) => outgoing.add(bytes),
      flush,
      send: (bytes) => outgoing.add(bytes) ? Effect.void : flush,
      ready: Effect.raceFirst(Deferred.await(ready), Deferred.await(ended)),
      ended: Deferred.await(ended)
    }
  })

interface Starting<E> {
  readonly tool: string
  readonly args: ReadonlyArray<string>
  readonly said: PutRecords
  readonly ready: Deferred.Deferred<void>
  readonly ended: Deferred.Deferred<void, E>
  readonly failureOf: (detail: string) => E
}

const start = <E>({ args, ended, failureOf, ready, said, tool }: Starting<E>): Child => {
  const child = spawn(tool, args, { detached: true, stdio: ["pipe", "pipe", "pipe"] })
  let stderr = ""
  child.stdin.on("error", () => {}) // it ends when it has failed, and says why
  child.stderr.setEncoding("utf8").on("data", (text: string) => stderr = (stderr + text).slice(-4096))
  child.stdout.on("data", (bytes: Buffer) => {
    said.push(bytes)
    if (said.ready) Deferred.doneUnsafe(ready, Effect.void)
  })
  const fail = (detail: string) => Deferred.doneUnsafe(ended, Effect.fail(failureOf(detail)))
  child.on("error", (cause) => fail(cause.message))
  child.on("close", (code, signal) =>
    code === 0 && said.done
      ? Deferred.doneUnsafe(ended, Effect.void)
      : fail(stderr.trim() === "" ? `the helper ended with ${signal ?? code}` : stderr.trim()))
  return child
}

/** Bytes to collect before a write: a write for each small file would take longer than the rest. */
const gatheredBytes = 64 * 1024

/** Bytes on their way to the helper. */
class Outgoing {
  readonly #stdin: Writable
  #held: Array<Uint8Array> = []
  #bytes = 0

  constructor(stdin: Writable) {
    this.#stdin = stdin
  }

  /** False if enough bytes are collected. */
  add(bytes: Uint8Array) {
    this.#held.push(bytes)
    this.#bytes += bytes.length
    return this.#bytes < gatheredBytes
  }

  /** False if the pipe to the helper is full. */
  flush() {
    const all = this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held, this.#bytes)
    this.#held = []
    this.#bytes = 0
    return this.#stdin.write(all)
  }
}

const drained = (child: Child) =>
  Effect.callback<void>((resume) => {
    if (child.stdin.destroyed) return // its end tells
    if (!child.stdin.writableNeedDrain) return resume(Effect.void)
    const done = () => resume(Effect.void)
    child.stdin.once("drain", done)
    return Effect.sync(() => child.stdin.off("drain", done))
  })
