/** A connection whose first messages were answered before the server was loaded. */
export interface EarlyConnection {
  /** Stdin with all bytes from the first one on. It is paused. */
  readonly stdin: typeof process.stdin
  /** Ids of the answered requests, in order. */
  readonly answered: ReadonlyArray<string | number>
  /** Removes the early signal listeners. The caller has installed its own. */
  readonly removeSignalListeners: () => void
}
