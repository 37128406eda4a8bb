import { Cause, Effect, Exit, Option, Schema } from "effect"
import * as Rpc from "effect/rpc/Rpc"
import type { RpcClientError } from "effect/rpc/RpcClientError"
import type {
  FromClientEncoded,
  FromServerEncoded,
  ResponseChunkEncoded,
  ResponseDefectEncoded,
  ResponseExitEncoded
} from "effect/rpc/RpcMessage"
import type { Parser } from "effect/rpc/RpcSerialization"
import { checkEvents, restName, restRpc, type StreamingRow } from "../contract/wire/event-rpcs.ts"
import { INPUT_WRITE } from "../contract/wire/input-rpcs.ts"
import { codecFor } from "../contract/wire/serialization.ts"
import type { Awaited } from "./awaited.ts"

/** Offset of the ids of these requests: the RPC client counts its own from 0. */
const FIRST_ID = 1_000_000_000_000_000

/** The part of a connection that these requests use. */
interface Connection {
  readonly writable: boolean
  readonly write: (bytes: Uint8Array | string) => unknown
}

/** An answer, or the end of all requests: by a message that one side cannot read, or with the connection. */
type Answer = ResponseChunkEncoded | ResponseExitEncoded | ResponseDefectEncoded | RpcClientError

/** Events of one operation, batch by batch. */
export interface DirectEvents<Event> {
  /** Fails with `None` after the last event. One caller at a time. */
  readonly pull: Effect.Effect<ReadonlyArray<Event>, Option.Option<unknown>>
  /** Ends the request if it has not ended. */
  readonly interrupt: () => void
}

/** A batch of this many bytes or more is acknowledged first, so that the daemon sends the next one meanwhile. */
const LARGE_BYTES = 4_096

const isLarge = (values: ReadonlyArray<unknown>) =>
  values.length > 1 || ((values[0] as { readonly bytes?: Uint8Array } | undefined)?.bytes?.length ?? 0) >= LARGE_BYTES

/**
 * Typed keys and events take no fiber and no stream of the RPC client: after a pause, all that code runs cold. Their messages are those of
 * the RPC client, on the same connection.
 */
export class DirectRequests {
  #encode: Parser["encode"] = () => undefined
  #connection: Connection | undefined
  #lastId = FIRST_ID
  readonly #open = new Map<string | number, (answer: Answer) => void>()
  #ended: RpcClientError | undefined
  readonly #awaited: Awaited

  constructor(awaited: Awaited) {
    this.#awaited = awaited
  }

  /** How messages cross the connection to come. */
  encodeBy({ encode }: Parser) {
    this.#encode = encode
  }

  connected(connection: Connection) {
    this.#connection = connection
  }

  /** Whether the connection is made and has not ended. */
  get isOpen() {
    return this.#connection !== undefined
  }

  /** Ends all requests with their connection. */
  fail(error: RpcClientError) {
    this.#connection = undefined
    this.#ended = error
    this.#endAll(error)
  }

  #endAll(how: Answer) {
    for (const answer of [...this.#open.values()]) answer(how)
  }

  /** Takes an answer to one of these requests. False for another answer. */
  take(answer: FromServerEncoded): boolean {
    if (answer._tag === "Defect") this.#endAll(answer)
    if (!("requestId" in answer)) return false
    const take = this.#open.get(answer.requestId)
    take?.(answer)
    return take !== undefined
  }

  #send(message: FromClientEncoded) {
    if (this.#connection?.writable === true) this.#connection.write(this.#encode(message)!)
  }

  #request(tag: string, payload: unknown, answer: (answer: Answer) => void) {
    const id = String(this.#lastId++)
    this.#open.set(id, answer)
    this.#awaited.begin(id)
    this.#send({ _tag: "Request", id, tag, payload, headers: [] })
    return id
  }

  #interrupt(requestId: string) {
    if (this.#close(requestId)) this.#send({ _tag: "Interrupt", requestId })
  }

  #close(requestId: string) {
    this.#awaited.end(requestId)
    return this.#open.delete(requestId)
  }

  /** Writes to the stdin of a command. Only while the connection is open. */
  writeInput(id: string, bytes: Uint8Array): Effect.Effect<void, unknown> {
    return Effect.callback((resume) => {
      if (this.#ended !== undefined) return resume(Effect.fail(this.#ended))
      const requestId = this.#request(INPUT_WRITE, { id, bytes }, (answer) => {
        this.#close(requestId)
        resume("exit" in answer && answer.exit._tag === "Success" ? Effect.void : Effect.fail(answer))
      })
      return Effect.sync(() => this.#interrupt(requestId))
    })
  }

  /** The events after the first batch of an operation. Only while the connection is open. */
  events<Event>(row: StreamingRow, id: string): DirectEvents<Event> {
    const check = checkEvents(row)
    let requestId: string | undefined
    /** Batches that came while nobody waited: one, or two at a time. */
    const waiting: Array<ReadonlyArray<unknown>> = []
    let end: Exit.Exit<never, Option.Option<unknown>> | undefined
    let taker: ((batch: Effect.Effect<ReadonlyArray<Event>, Option.Option<unknown>>) => void) | undefined

    const ack = () => {
      if (requestId !== undefined && this.#open.has(requestId)) this.#send({ _tag: "Ack", requestId })
    }
    const checked = (values: ReadonlyArray<unknown>) => Effect.sync(() => check(values) as ReadonlyArray<Event>)
    const hand = (batch: Effect.Effect<ReadonlyArray<Event>, Option.Option<unknown>>) => {
      const resume = taker!
      taker = undefined
      resume(batch)
    }
    const answered = (answer: Answer) => {
      if (answer._tag === "Chunk") {
        if (taker === undefined) return void waiting.push(answer.values)
        if (isLarge(answer.values)) ack()
        else setImmediate(ack)
        return hand(checked(answer.values))
      }
      this.#close(requestId!)
      end = answer._tag === "Exit"
        ? endOf(row, answer.exit)
        : answer._tag === "Defect"
        ? Exit.die(answer.defect)
        : Exit.fail(Option.some(answer))
      if (taker !== undefined) hand(end)
    }
    return {
      pull: Effect.callback((resume) => {
        const batch = waiting.shift()
        if (batch !== undefined) {
          ack()
          return resume(checked(batch))
        }
        if (end === undefined && this.#ended !== undefined) end = Exit.fail(Option.some(this.#ended))
        if (end !== undefined) return resume(end)
        taker = resume
        requestId ??= this.#request(restName(row), { id }, answered)
        return Effect.sync(() => {
          taker = undefined
        })
      }),
      interrupt: () => {
        if (requestId !== undefined) this.#interrupt(requestId)
      }
    }
  }
}

const endOf = (row: StreamingRow, encoded: unknown): Exit.Exit<never, Option.Option<unknown>> => {
  const exit: Exit.Exit<unknown, unknown> = Schema.decodeUnknownSync(codecFor(Rpc.exitSchema(restRpc(row))))(encoded)
  return Exit.isSuccess(exit) ? Exit.fail(Option.none()) : Exit.failCause(Cause.map(exit.cause, Option.some))
}
