import { Cause, Effect, Exit, Fiber } from "effect"
import type { Socket } from "node:net"
import { type Signal, waitFor } from "../../system/waits/signal.ts"
import { type ForbiddenText, TextSearch } from "./daemon/connection/forbidden-text.ts"
import { Denied, FirstReply, type Sender, withJudgement } from "./daemon/connection/judge-first-bytes.ts"
import { SocketReader } from "./daemon/connection/socket-reader.ts"
import { reset } from "./model/reset.ts"

export type { ForbiddenText } from "./daemon/connection/forbidden-text.ts"

/** The guest's end of a connection, as `GuestSocket` of the channel. Each part fails once the guest reset it, or the channel is lost. */
export interface GuestEnd<E> {
  /** `take` may take a piece before `f`, in the turn of its arrival. */
  readonly forEachReceived: <F>(
    f: (bytes: Uint8Array) => Effect.Effect<void, F>,
    take?: (bytes: Uint8Array) => boolean
  ) => Effect.Effect<void, E | F>
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, E>
  readonly end: Effect.Effect<void, E>
  /** Waits until both sides have ended, and the guest has all bytes. */
  readonly closed: Effect.Effect<void, E>
}

/** Bytes of a connection so far. */
export interface Counts {
  /** From the guest to the host's side. */
  sentBytes: number
  /** From the host's side to the guest. */
  receivedBytes: number
  /** Bytes of the guest's first record, if it begins a TLS handshake. */
  helloBytes?: number
}

const HANDSHAKE = 22
const RECORD_HEADER_BYTES = 5

const countSent = (counts: Counts, bytes: Uint8Array) => {
  if (counts.sentBytes === 0 && bytes[0] === HANDSHAKE && bytes.length >= RECORD_HEADER_BYTES) {
    counts.helloBytes = RECORD_HEADER_BYTES + bytes[3]! * 256 + bytes[4]!
  }
  counts.sentBytes += bytes.length
}

/** More than an alert, and less than the rest of any handshake: a Finished message has 58 bytes. */
const ALERT_BYTES = 50
/** Less than a certificate. */
const NO_CERTIFICATE_BYTES = 300

/** Whether a guest has ended TLS when it saw the certificate of the other side: it sent an alert, or bytes of the size of one. */
export const refusedCertificate = ({ helloBytes, receivedBytes, sentBytes }: Counts): boolean =>
  helloBytes !== undefined && receivedBytes > NO_CERTIFICATE_BYTES && sentBytes > helloBytes &&
  sentBytes - helloBytes <= ALERT_BYTES

export interface SpliceOptions<E> {
  readonly guest: GuestEnd<E>
  /** A connected socket with `allowHalfOpen`. */
  readonly socket: Socket
  /** Name that TLS SNI and the HTTP Host must have. @default not compared */
  readonly expectedName?: string | undefined
  /** Texts that the guest must not send. @default none */
  readonly forbidden?: ReadonlyArray<ForbiddenText> | undefined
  /** Counts bytes as they go. */
  readonly counts?: Counts | undefined
  /** Bytes that may wait for the receiver, each way, before the sender is left unread. @default 256 KiB */
  readonly bufferBytes?: number | undefined
  /** Resets both sides. */
  readonly stop?: Pick<Signal<unknown>, "listen"> | undefined
}

/** How a connection ended. After all but `Closed` the guest's end must be reset, by the end of its Scope. */
export type SpliceEnd =
  /** Both sides ended. */
  | { readonly _tag: "Closed" }
  | { readonly _tag: "ResetByHost"; readonly detail: string }
  | { readonly _tag: "ResetByGuest"; readonly detail: string }
  /** The first bytes, or an HTTP request, name another host than the connection, and were not sent; or the guest sent a forbidden text. */
  | { readonly _tag: "Denied"; readonly detail: string }
  /** `stop` has come. */
  | { readonly _tag: "Stopped" }

const BUFFER_BYTES = 262_144

/**
 * Moves bytes both ways until both sides ended or one was reset. Each direction waits for its receiver, and ends by itself. A reset
 * or an interruption resets the socket.
 */
export const splice = <E>(options: SpliceOptions<E>): Effect.Effect<SpliceEnd> =>
  Effect.suspend(() => {
    const { bufferBytes = BUFFER_BYTES, guest, socket } = options
    const counts = options.counts ?? { sentBytes: 0, receivedBytes: 0 }
    const reader = new SocketReader(socket, bufferBytes)
    const send = sender(socket, counts, bufferBytes)
    const reply = new FirstReply()
    const judged = options.expectedName === undefined ? send : withJudgement(options.expectedName, send, reply)
    const searched = withSearch(options.forbidden ?? [], judged)
    /** Sends without a wait, if no judgement of the bytes is needed. A socket that has ended fails in `send`. */
    const sendNow = (bytes: Uint8Array) => {
      if (!socket.writable || socket.writableLength + bytes.length > bufferBytes) return false
      countSent(counts, bytes)
      socket.write(bytes)
      return true
    }
    const outwards = guest.forEachReceived(searched.write, searched === send ? sendNow : undefined).pipe(
      Effect.andThen(Effect.suspend(searched.end))
    )
    const inwards: Effect.Effect<void, E> = Effect.flatMap(reader.next, (chunks) =>
      chunks === undefined ?
        Effect.andThen(Effect.sync(() => reply.end()), guest.end) :
        Effect.andThen(
          Effect.forEach(chunks, (bytes) =>
            Effect.suspend(() => {
              counts.receivedBytes += bytes.length
              reply.see(bytes)
              return guest.write(bytes)
            }), { discard: true }),
          Effect.suspend(() => inwards)
        ))
    return raceAllParts([outwards, inwards, guest.closed], (end) => {
      reader.failed.listen((detail) => end({ _tag: "ResetByHost", detail }))
      options.stop?.listen(() => end({ _tag: "Stopped" }))
    }).pipe(
      Effect.catchCause((cause) => {
        const failure = Cause.findErrorOption(cause)
        if (failure._tag === "None") return Effect.failCause(cause as Cause.Cause<never>)
        return Effect.succeed<SpliceEnd>(
          failure.value instanceof Denied
            ? { _tag: "Denied", detail: failure.value.detail }
            : {
              _tag: "ResetByGuest",
              detail: failure.value instanceof Error ? failure.value.message : String(failure.value)
            }
        )
      }),
      Effect.onExit((exit) =>
        Effect.sync(() => {
          reader.close()
          if (!Exit.isSuccess(exit) || exit.value._tag !== "Closed") reset(socket)
        })
      )
    )
  })

/** Runs the parts until all have ended, one has failed, or `end` is called. Cheaper than races, which make two fibers each. */
const raceAllParts = <E>(
  parts: ReadonlyArray<Effect.Effect<void, E>>,
  onStart: (end: (how: SpliceEnd) => void) => void
): Effect.Effect<SpliceEnd, E> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(
      Effect.forEach(parts, (part) => Effect.forkChild(part, { startImmediately: true })),
      (fibers) =>
        restore(waitFor<SpliceEnd, E>((resume) => {
          let left = fibers.length
          for (const fiber of fibers) {
            fiber.addObserver((exit) => {
              left -= 1
              if (Exit.isFailure(exit)) resume(Effect.failCause(exit.cause))
              else if (left === 0) resume(Effect.succeed({ _tag: "Closed" }))
            })
          }
          onStart((how) => resume(Effect.succeed(how)))
        })).pipe(Effect.ensuring(Fiber.interruptAll(fibers)))
    )
  )

const sender = (socket: Socket, counts: Counts, bufferBytes: number): Sender => ({
  write: (bytes) => {
    countSent(counts, bytes)
    socket.write(bytes)
    return socket.writableLength > bufferBytes ? drained(socket) : Effect.void
  },
  end: () =>
    Effect.callback<void>((resume) => {
      socket.end(() => resume(Effect.void))
    })
})

/** Waits until the socket has sent its bytes or is destroyed. The reader reports a failure. */
const drained = (socket: Socket) =>
  Effect.callback<void>((resume) => {
    if (socket.destroyed) return resume(Effect.void)
    const done = () => {
      socket.off("drain", done).off("close", done)
      resume(Effect.void)
    }
    socket.on("drain", done).on("close", done)
    return Effect.sync(() => socket.off("drain", done).off("close", done))
  })

/** Fails at the piece that completes a forbidden text, and sends neither it nor later ones. */
const withSearch = (texts: ReadonlyArray<ForbiddenText>, send: Sender<Denied>): Sender<Denied> => {
  if (texts.length === 0) return send
  const search = new TextSearch(texts)
  return {
    write: (bytes) =>
      Effect.suspend(() => {
        const found = search.find(bytes)
        return found === undefined ? send.write(bytes) : Effect.fail(new Denied(found.detail))
      }),
    end: send.end
  }
}
