/** A connection whose first messages have been answered already. */
export interface Handover {
  /** Everything that the client has sent, from the first byte on. It is paused. */
  readonly stdin: typeof process.stdin
  /** Ids of the requests that were answered, in their order. */
  readonly answered: ReadonlyArray<string | number>
  /** To be called by whoever receives the signals of this process from now on. */
  readonly signalsTaken: () => void
}
