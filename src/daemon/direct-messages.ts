import { Effect } from "effect"
import type { FromClientEncoded, FromServerEncoded } from "effect/rpc/RpcMessage"
import { isRestName } from "../contract/wire/event-rpcs.ts"
import { INPUT_WRITE, isInputBytes } from "../contract/wire/input-rpcs.ts"
import { makeInputs } from "./inputs.ts"

/** Sends events to the client of an operation, and waits until the client has taken them. */
export type SendEvents = (events: ReadonlyArray<unknown>) => Effect.Effect<void>

/** Writes a message to a client at once. */
export type Send = (message: FromServerEncoded) => void

const idOf = (payload: unknown) => (payload as { readonly id?: unknown } | null | undefined)?.id

/** The messages of one connection that do not pass the RPC server. */
class DirectConnection {
  readonly #send: Send
  readonly #tryInput: (id: string, bytes: Uint8Array) => boolean
  /** Requests for events, by the operation. */
  readonly #rests = new Map<unknown, string | number>()
  /** Batches that the client has not taken, by the request. */
  readonly #untaken = new Map<string | number, () => void>()

  constructor(send: Send, tryInput: (id: string, bytes: Uint8Array) => boolean) {
    this.#send = send
    this.#tryInput = tryInput
  }

  /** Handles a message, or leaves the message to the RPC server. */
  take(message: FromClientEncoded): boolean {
    switch (message._tag) {
      case "Request":
        if (message.tag === INPUT_WRITE) return this.#takeInput(message.id, message.payload)
        if (isRestName(message.tag)) this.#rests.set(idOf(message.payload), message.id)
        return false
      case "Ack": {
        const taken = this.#untaken.get(message.requestId)
        taken?.()
        return taken !== undefined
      }
      default:
        return false
    }
  }

  #takeInput(requestId: string | number, payload: unknown) {
    if (!isInputBytes(payload) || !this.#tryInput(payload.id, payload.bytes)) return false
    // The bytes go first: the channel writes them in the next microtask.
    void Promise.resolve().then(() =>
      this.#send({ _tag: "Exit", requestId, exit: { _tag: "Success", value: undefined } })
    )
    return true
  }

  senderOf(id: string): SendEvents | undefined {
    const requestId = this.#rests.get(id)
    this.#rests.delete(id)
    return requestId === undefined ? undefined : (events) =>
      Effect.callback((resume) => {
        const forget = () => this.#untaken.delete(requestId)
        this.#untaken.set(requestId, () => {
          forget()
          resume(Effect.void)
        })
        this.#send({ _tag: "Chunk", requestId, values: events as [unknown, ...Array<unknown>] })
        return Effect.sync(forget)
      })
  }
}

/**
 * Typed keys and events take no fiber and no Schema of the RPC server: after a pause, all that code runs cold. Their messages are those of
 * the RPC server, which handles all others, and input that has to wait.
 */
export const makeDirectMessages = () => {
  const inputs = makeInputs()
  const connections = new Map<number, DirectConnection>()
  return {
    inputs,
    /** Handles messages of a client, until `close`. */
    open: (clientId: number, send: Send) => {
      const connection = new DirectConnection(send, inputs.tryWrite)
      connections.set(clientId, connection)
      return connection
    },
    close: (clientId: number) => void connections.delete(clientId),
    /** Sends the events of an operation whose client has asked for them. `undefined` for a client of the RPC server alone. */
    senderOf: (clientId: number, id: string) => connections.get(clientId)?.senderOf(id)
  } as const
}
export type DirectMessages = ReturnType<typeof makeDirectMessages>
