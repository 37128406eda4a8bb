import type { Effect } from "effect"

/** The direction of a connection from the guest to the host's side. */
export interface Sender<E = never> {
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, E>
  readonly end: () => Effect.Effect<void, E>
}

/** The guest sent something that the connection must not carry. */
export class Denied {
  readonly detail: string
  constructor(detail: string) {
    this.detail = detail
  }
}
