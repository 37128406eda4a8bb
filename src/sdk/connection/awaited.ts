import { Deferred, Effect } from "effect"

type RequestId = string | number

/** The part of a connection that decides whether it keeps the process alive. */
interface Referenced {
  readonly ref: () => unknown
  readonly unref: () => unknown
}

/**
 * The requests of a connection that wait for their last answer. The connection keeps the process alive only for them, so a program ends that
 * forgot to close its client.
 */
export class AwaitedRequests {
  readonly #ends = new Map<RequestId, Deferred.Deferred<void> | undefined>()
  #connection: Referenced | undefined

  connected(connection: Referenced) {
    this.#connection = connection
    if (this.#ends.size === 0) connection.unref()
  }

  begin(id: RequestId) {
    if (this.#ends.set(id, undefined).size === 1) this.#connection?.ref()
  }

  end(id: RequestId) {
    const waited = this.#ends.get(id)
    if (!this.#ends.delete(id)) return
    if (this.#ends.size === 0) this.#connection?.unref()
    if (waited !== undefined) Deferred.doneUnsafe(waited, Effect.void)
  }

  has(id: RequestId) {
    return this.#ends.has(id)
  }

  endAll() {
    for (const id of [...this.#ends.keys()]) this.end(id)
  }

  /** Waits for the last answer to a request. */
  untilEnd(id: RequestId): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (!this.#ends.has(id)) return Effect.void
      const waited = this.#ends.get(id) ?? Deferred.makeUnsafe<void>()
      this.#ends.set(id, waited)
      return Deferred.await(waited)
    })
  }
}
