import { Effect, Fiber } from "effect"
import type { Socket } from "node:dgram"
import { Signal, startTimer, Waiters, waitFor } from "../../system/waits/signal.ts"
import { FirstIds } from "./daemon/datagrams/first-ids.ts"
import { framed, Unframer } from "./daemon/datagrams/frames.ts"
import { quicJudge } from "./daemon/datagrams/judge-quic.ts"
import type { Counts, GuestEnd } from "./splice.ts"

export { FirstIds } from "./daemon/datagrams/first-ids.ts"

export interface RelayOptions<E> {
  /** The guest's end, whose bytes are datagrams with their lengths. */
  readonly guest: Pick<GuestEnd<E>, "forEachReceived" | "write">
  /** A socket that is connected to the other side. Its owner closes it. */
  readonly socket: Socket
  /** Name that the handshakes of QUIC must have. @default not compared */
  readonly expectedName?: string | undefined
  /** Ids of the QUIC connections of all flows of the guest. @default of this flow alone */
  readonly firstIds?: FirstIds | undefined
  /** Whether the guest may send one more datagram now, and have one more handshake read. Others are lost. @default always */
  readonly pace?: { readonly mayPass: () => boolean; readonly mayRead: () => boolean } | undefined
  /** Counts bytes of datagrams as they go. */
  readonly counts: Counts
  /** Tells of each datagram, in either direction. */
  readonly onUse?: (() => void) | undefined
  /** Time without a datagram that ends the flow. @default 2 minutes (RFC 4787, REQ-5) */
  readonly idleMs?: number | undefined
  readonly stop?: Pick<Signal<unknown>, "listen"> | undefined
}

export type RelayEnd =
  /** No datagram came for the time. */
  | { readonly _tag: "Idle" }
  /** The guest's end is over. */
  | { readonly _tag: "EndedByGuest" }
  /** The other side refused a datagram, or the network is gone. */
  | { readonly _tag: "Failed"; readonly detail: string }
  | { readonly _tag: "Denied"; readonly detail: string }
  | { readonly _tag: "Stopped" }

const IDLE_MS = 120_000
/** Bytes that wait in this process, each way. More are lost. */
const MAX_WAITING_BYTES = 262_144
/** Memory of a waiting datagram beside its bytes: a sender of empty ones shall fill no memory. */
const WAITING_COST_BYTES = 256
/** Bytes of one write to the guest. */
const WRITE_BYTES = 32_768

const unlimited = { mayPass: () => true, mayRead: () => true }

/** Frames as few writes, none of which is much longer than `WRITE_BYTES`. */
const inWrites = (frames: ReadonlyArray<Buffer>): ReadonlyArray<Buffer> => {
  const writes: Array<Array<Buffer>> = [[]]
  let bytes = 0
  for (const frame of frames) {
    if (bytes > 0 && bytes + frame.length > WRITE_BYTES) {
      writes.push([])
      bytes = 0
    }
    writes.at(-1)!.push(frame)
    bytes += frame.length
  }
  return writes.map((group) => group.length === 1 ? group[0]! : Buffer.concat(group))
}

/** Ends when no call of `used` came for `ms`. */
const idleTimer = (ms: number, onIdle: () => void) => {
  let isUsed = true
  const tick = () => {
    if (!isUsed) return onIdle()
    isUsed = false
    timer = startTimer(ms, tick)
  }
  let timer = startTimer(ms, tick)
  return { used: () => (isUsed = true), cancel: () => timer.cancel() }
}

/** Moves datagrams both ways until nothing came for a while, a side has failed, or a datagram is denied. An interruption stops it. */
export const relayDatagrams = <E>(options: RelayOptions<E>): Effect.Effect<RelayEnd> =>
  Effect.uninterruptibleMask((restore) => {
    const { counts, expectedName, guest, idleMs = IDLE_MS, onUse = () => {}, pace = unlimited, socket } = options
    const { firstIds = new FirstIds() } = options
    const judge = expectedName === undefined ? undefined : quicJudge(expectedName, pace.mayRead, firstIds)
    const unframer = new Unframer()
    const waiters = new Waiters()
    const ended = new Signal<RelayEnd>()
    const idle = idleTimer(idleMs, () => ended.send({ _tag: "Idle" }))
    let waiting: Array<Buffer> = []
    let waitingBytes = 0

    const used = () => {
      idle.used()
      onUse()
    }
    const failed = (error: Error) => ended.send({ _tag: "Failed", detail: error.message })

    const sendOne = (datagram: Buffer) => {
      used()
      counts.sentBytes += datagram.length
      // A datagram that the host cannot send is lost; a refusal by the other side ends the flow.
      socket.send(datagram, (error) => error?.message.includes("ECONNREFUSED") === true && failed(error))
    }
    /** A host that sends slower than its guest keeps a bounded number. */
    const isFull = () => socket.getSendQueueSize() + WAITING_COST_BYTES * socket.getSendQueueCount() > MAX_WAITING_BYTES
    const judgeOne = (datagram: Buffer) => {
      if (!pace.mayPass() || isFull()) return
      const verdict = judge?.(datagram)
      if (verdict?._tag === "Denied") return ended.send(verdict)
      if (verdict?._tag === "Hold" || verdict?._tag === "Drop") return
      for (const held of verdict?.held ?? []) sendOne(held)
      sendOne(datagram)
    }
    const outwards = (bytes: Uint8Array) => {
      for (const datagram of unframer.add(bytes)) if (ended.value === undefined) judgeOne(datagram)
    }
    const inwards = (datagram: Buffer) => {
      const frame = framed(datagram)
      const waitingCost = WAITING_COST_BYTES * waiting.length
      if (frame === undefined || waitingBytes + waitingCost + frame.length > MAX_WAITING_BYTES) return
      used()
      counts.receivedBytes += datagram.length
      waiting.push(frame)
      waitingBytes += frame.length
      waiters.wake()
    }

    const reading = guest.forEachReceived((bytes) => Effect.sync(() => outwards(bytes)), (bytes) => {
      outwards(bytes)
      return true
    })
    const writing: Effect.Effect<void, E> = Effect.flatMap(waiters.wait(() => waiting.length > 0), () => {
      const frames = waiting
      waiting = []
      waitingBytes = 0
      return Effect.andThen(
        Effect.forEach(inWrites(frames), guest.write, { discard: true }),
        Effect.suspend(() => writing)
      )
    })

    socket.on("message", inwards).on("error", failed)
    options.stop?.listen(() => ended.send({ _tag: "Stopped" }))
    return Effect.flatMap(
      Effect.forEach(
        [reading, writing],
        (part) => Effect.forkChild(restore(part), { startImmediately: true })
      ),
      (fibers) => {
        for (const fiber of fibers) fiber.addObserver(() => ended.send({ _tag: "EndedByGuest" }))
        return restore(waitFor<RelayEnd>((resume) => {
          const unlisten = ended.listen((how) => resume(Effect.succeed(how)))
          return Effect.sync(unlisten)
        })).pipe(Effect.ensuring(Fiber.interruptAll(fibers)))
      }
    ).pipe(
      Effect.ensuring(Effect.sync(() => {
        idle.cancel()
        socket.off("message", inwards)
      }))
    )
  })
