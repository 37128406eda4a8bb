import { Effect } from "effect"
import type { Duplex, Writable } from "node:stream"
import { Signal, waitFor } from "../../../system/waits/signal.ts"

/** A channel of a connection, as the library has it. Bytes after its end are dropped. */
export interface SshChannel extends Duplex {
  /** Absent for a forwarded connection. */
  readonly stderr: Writable
  /** Ends this side. The other side may continue. */
  readonly eof: () => void
  readonly close: () => void
  readonly exit: {
    (status: number): void
    (signal: string, coreDumped: boolean, message: string): void
  }
}

/** Reads and writes a channel. */
export const makePipe = (channel: SshChannel) => {
  const closed = new Signal<true>()
  channel.on("close", () => closed.send(true))
  channel.on("error", () => closed.send(true))
  const whenClosed: Effect.Effect<void> = waitFor((resume) => Effect.sync(closed.listen(() => resume(Effect.void))))

  /** The next bytes of the client. Undefined at their end. */
  const next: Effect.Effect<Uint8Array | undefined> = waitFor((resume) => {
    const take = () => {
      const bytes = channel.read() as Uint8Array | null
      if (bytes !== null) finish(bytes)
      else if (channel.readableEnded || closed.value === true) finish(undefined)
    }
    const finish = (bytes: Uint8Array | undefined) => {
      leave()
      resume(Effect.succeed(bytes))
    }
    const leave = () => {
      channel.off("readable", take).off("end", take)
      unlisten()
    }
    channel.on("readable", take).on("end", take)
    let unlisten = () => {}
    unlisten = closed.listen(take)
    take()
    return Effect.sync(leave)
  })

  const write = (to: Writable, bytes: Uint8Array): Effect.Effect<void> =>
    waitFor((resume) => {
      const done = () => resume(Effect.void)
      // The library forgets a write to a channel that has ended.
      const unlisten = closed.listen(done)
      if (closed.value === true || !to.writable) return done()
      to.write(bytes, done)
      return Effect.sync(unlisten)
    })

  return {
    isClosed: () => closed.value === true,
    whenClosed,
    /** Runs `f` for each piece of the client until the end of its side, or of the channel. */
    forEach: <E>(f: (bytes: Uint8Array) => Effect.Effect<void, E>): Effect.Effect<void, E> => {
      const step: Effect.Effect<void, E> = Effect.flatMap(
        next,
        (bytes) => bytes === undefined ? Effect.void : Effect.andThen(f(bytes), step)
      )
      return step
    },
    /** Waits while the client does not read. */
    write: (bytes: Uint8Array) => write(channel, bytes),
    writeError: (bytes: Uint8Array | string) => write(channel.stderr, Buffer.from(bytes as string)),
    eof: Effect.sync(() => channel.eof()),
    close: Effect.sync(() => {
      channel.eof()
      channel.close()
    })
  }
}
export type Pipe = ReturnType<typeof makePipe>
