import { Cause, Effect, Result, type Scope, Stream } from "effect"
import type { ChannelFailed } from "../../../contract/errors/errors.ts"
import { waitFor } from "../../../system/waits/signal.ts"
import { AgentCallFailed } from "../model/errors.ts"
import type { Accepted, DnsAnswer, GuestSocket, NetworkRequest, PortRequest } from "../model/network.ts"
import type { Connection } from "../session/connection.ts"
import { awaitEnd } from "../session/open.ts"
import { type Failure, id, open, openNow, window } from "../session/operation.ts"
import type { PendingRequest } from "../streams/network-table.ts"
import { bytesOf, forEachPiece } from "../streams/pieces.ts"
import type { GuestStream } from "../streams/stream.ts"
import { encodeControl } from "../wire/control.ts"
import { CONNECTION, HostMessage, type OpenerKind, RequestAnswer } from "../wire/messages.ts"

/** Bytes of one write: half of what Node reads at a time. Other streams take their turn between two writes. */
const WRITE_BYTES = 32_768

/** The connection behind a stream that has started. */
const socketOf = (connection: Connection, stream: GuestStream, operation: OpenerKind): GuestSocket => {
  const closed = Effect.asVoid(awaitEnd(stream, operation))
  const write = (bytes: Uint8Array): Effect.Effect<void, ChannelFailed> =>
    bytes.length === 0 ? Effect.void : connection.outbox.calm.pipe(
      Effect.andThen(Effect.suspend(() => stream.input.writeLent(bytes.subarray(0, WRITE_BYTES)))),
      Effect.andThen(Effect.suspend(() => write(bytes.subarray(WRITE_BYTES))))
    )
  const ended = Effect.suspend(() => stream.hasEndedOutput ? Effect.void : closed)
  return {
    received: Stream.concat(bytesOf(stream), Stream.fromEffectDrain(ended)),
    forEachReceived: (f, take) =>
      Effect.andThen(forEachPiece(stream, ({ bytes }) => f(bytes), take && (({ bytes }) => take(bytes))), ended),
    write,
    end: Effect.suspend(() => stream.input.end()),
    closed
  }
}

/** Connects to a port on the guest's loopback. */
export const connectPort = (
  connection: Connection,
  request: PortRequest
): Effect.Effect<GuestSocket, Failure, Scope.Scope> =>
  Effect.suspend(() => {
    const { family = 4, port, windowBytes = window } = request
    return open(
      connection,
      "connect",
      HostMessage.Connect,
      { id: id(), window: windowBytes, family, port },
      windowBytes
    )
  }).pipe(
    Effect.map((stream) => socketOf(connection, stream, "connect"))
  )

const MAX_RECORDS_BYTES = 16_384
/** Unread bytes of each connection in the guest, for the first connections and for the others: 2,048 of them hold 256 MiB at most. */
const LARGE_WINDOW_BYTES = 1_048_576
const LARGE_WINDOWS = 128
const SMALL_WINDOW_BYTES = 65_536

const NOTHING = new Uint8Array(0)

const fieldsOf = (answer: DnsAnswer) => {
  const plain = (number: number) => ({ answer: number, count: 0, records: NOTHING })
  switch (answer._tag) {
    case "Address":
      return plain(RequestAnswer.address)
    case "NoData":
      return plain(RequestAnswer.noData)
    case "NoSuchName":
      return plain(RequestAnswer.noSuchName)
    case "ServerFailure":
      return plain(RequestAnswer.serverFailure)
    case "Records": {
      const { count, records } = answer
      if (records.length > MAX_RECORDS_BYTES) return plain(RequestAnswer.serverFailure)
      return { answer: RequestAnswer.records, count, records }
    }
  }
}

type AnswerFields = ReturnType<typeof fieldsOf>

const send = (connection: Connection, request: number, fields: AnswerFields) => {
  const { fields: layout, kind } = HostMessage.Answer
  connection.send(encodeControl(CONNECTION, kind, layout, { request, ...fields }))
}

const answerOnce = (connection: Connection, number: number, fields: () => AnswerFields) =>
  Effect.sync(() => {
    if (connection.network.answered(number)) send(connection, number, fields())
  })

const acceptNow = (
  connection: Connection,
  request: number
): Result.Result<Accepted, AgentCallFailed | ChannelFailed> => {
  const { network } = connection
  if (!network.answered(request)) {
    return Result.fail(
      new AgentCallFailed({ operation: "accept", errno: "ECONNABORTED", detail: "the request is over" })
    )
  }
  const window = network.opened < LARGE_WINDOWS ? LARGE_WINDOW_BYTES : SMALL_WINDOW_BYTES
  return Result.map(
    openNow(connection, "accept", HostMessage.Accept, { id: id(), window, request }, window),
    ({ release, started }) => {
      network.opened++
      return {
        socket: Effect.map(started, ({ stream }) => socketOf(connection, stream, "accept")),
        release: () => {
          release()
          network.opened--
        }
      }
    }
  )
}

/** A request as its consumer sees it. */
const requestOf = (connection: Connection, pending: PendingRequest): NetworkRequest => {
  const { number } = pending
  if (pending.what === "resolve") {
    const { name, type, withdrawn } = pending
    return {
      _tag: "Resolve",
      name,
      type,
      answer: (answer) => answerOnce(connection, number, () => fieldsOf(answer)),
      withdrawn: withdrawn.wait
    }
  }
  const { address, name, port, what, withdrawn } = pending
  return {
    _tag: what === "connect" ? "Connect" : "Datagrams",
    name,
    address,
    port,
    acceptNow: () => acceptNow(connection, number),
    refuse: answerOnce(connection, number, () => ({ answer: RequestAnswer.refused, count: 0, records: NOTHING })),
    withdrawn: withdrawn.wait,
    onWithdrawn: (listener) => void withdrawn.listen(listener)
  }
}

/** Hands over requests until `take` gives an effect to wait for, or the connection is over. */
const until = <A>(connection: Connection, take: (request: NetworkRequest) => A | undefined) =>
  waitFor<A, Cause.Done>((resume) => {
    connection.network.consume((pending) => {
      if (pending === undefined) return resume(Cause.done())
      const found = take(requestOf(connection, pending))
      if (found === undefined) return
      connection.network.pause()
      resume(Effect.succeed(found))
    })
    return Effect.sync(() => connection.network.pause())
  })

/** `GuestChannel.forEachNetworkRequest` */
export const forEachRequest = (
  connection: Connection,
  take: (request: NetworkRequest) => Effect.Effect<void> | undefined
): Effect.Effect<void> => Effect.ignore(Effect.forever(Effect.flatten(until(connection, take)), { disableYield: true }))
