/** A value that comes once, for one listener, then or later. A fiber that waits for a value costs a connection far more. */
export class Signal<A> {
  #value: A | undefined
  #listener: ((value: A) => void) | undefined

  /** The value, once it has come. */
  get value(): A | undefined {
    return this.#value
  }

  /** Later values are dropped. */
  send(value: A & {}): void {
    if (this.#value !== undefined) return
    this.#value = value
    this.#listener?.(value)
  }

  /** Replaces the listener. */
  listen(listener: (value: A) => void): void {
    this.#listener = listener
    if (this.#value !== undefined) listener(this.#value)
  }
}
