import type { FromServerEncoded } from "effect/rpc/RpcMessage"

/** The part of a connection that decides whether it keeps the process alive. */
interface Referenced {
  readonly ref: () => unknown
  readonly unref: () => unknown
}

/**
 * The requests of a connection that wait for an answer. The connection keeps the process alive only for them, so a program ends that forgot to
 * close its client.
 */
export class Awaited {
  readonly #requests = new Set<string | number>()
  #connection: Referenced | undefined

  connected(connection: Referenced) {
    this.#connection = connection
    if (this.#requests.size === 0) connection.unref()
  }

  begin(requestId: string | number) {
    if (this.#requests.add(requestId).size === 1) this.#connection?.ref()
  }

  end(requestId: string | number) {
    if (this.#requests.delete(requestId) && this.#requests.size === 0) this.#connection?.unref()
  }

  /** Notes an answer. A chunk of events is no end. */
  answered(answer: FromServerEncoded) {
    if (answer._tag === "Exit") this.end(answer.requestId)
    if (answer._tag === "Defect" || answer._tag === "ClientProtocolError") {
      for (const id of this.#requests) this.end(id)
    }
  }
}
