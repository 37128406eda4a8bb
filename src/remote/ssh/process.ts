import { type ChildProcessByStdio, spawn } from "node:child_process"
import { Duplex, type Readable, type Writable } from "node:stream"

/** Maximum characters of ssh's own messages that are kept: the last ones. */
const STDERR_CHARACTERS = 4_096

type Child = ChildProcessByStdio<Writable, Readable, Readable>

interface Referenced {
  readonly ref?: () => void
  readonly unref?: () => void
}

/** How a process ended. */
export interface Ended {
  readonly status: number | undefined
  readonly signal: string | undefined
  /** Set if the program could not be started. */
  readonly error: (Error & { readonly code?: unknown }) | undefined
}

/** A process whose stdin and stdout are a connection. `destroy` ends the process. */
export class ProcessConnection extends Duplex {
  readonly #child: Child
  #stderr = ""
  readonly ended: Promise<Ended>

  constructor(command: string, words: ReadonlyArray<string>) {
    super()
    // A group of its own: Ctrl-C is pyro's, which tells the other side first.
    const child = spawn(command, words, { stdio: ["pipe", "pipe", "pipe"], detached: process.platform !== "win32" })
    this.#child = child
    this.ended = new Promise((resolve) => {
      child.once("error", (error) => resolve({ status: undefined, signal: undefined, error }))
      child.once(
        "close",
        (status, signal) => resolve({ status: status ?? undefined, signal: signal ?? undefined, error: undefined })
      )
    })
    child.stdout.on("data", (bytes: Buffer) => {
      if (!this.push(bytes)) child.stdout.pause()
    })
    child.stdout.once("end", () => this.push(null))
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARACTERS)
    })
    // The end of the process tells what an error of a pipe would.
    for (const pipe of [this, child.stdin, child.stdout, child.stderr]) pipe.on("error", () => {})
    void this.ended.then(() => this.destroy())
  }

  /** What ssh itself has said. */
  get stderr() {
    return this.#stderr
  }

  override _read() {
    this.#child.stdout.resume()
  }

  override _write(bytes: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void) {
    this.#child.stdin.write(bytes, encoding, done)
  }

  override _final(done: () => void) {
    this.#child.stdin.end(done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void) {
    this.#child.kill()
    done(error)
  }

  readonly destroySoon = () => {
    this.end()
    this.destroy()
  }

  readonly ref = () => {
    for (const one of this.#parts()) one.ref?.()
  }

  readonly unref = () => {
    for (const one of this.#parts()) one.unref?.()
  }

  #parts(): ReadonlyArray<Referenced> {
    const { stderr, stdin, stdout } = this.#child
    return [this.#child, stdin, stdout, stderr] as ReadonlyArray<Referenced>
  }
}
