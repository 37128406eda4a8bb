import type { SpawnedProcess } from "@anthropic-ai/claude-agent-sdk"
import { addAbortListener, EventEmitter } from "node:events"
import { Readable, Writable } from "node:stream"
import type { Process } from "pyro/promises"

/** Output of a process. A process that does not start has none: its `error` event says why. */
async function* outputOf(starting: Promise<Process>): AsyncGenerator<Uint8Array> {
  const started = await starting.catch(() => undefined)
  if (started !== undefined) yield* started.stdout
}

/** Input of a process, which waits for its start. */
const inputOf = (starting: Promise<Process>): Writable => {
  const writer = starting.then(({ stdin }) => stdin.getWriter())
  writer.catch(() => undefined)
  const settle = (work: Promise<void>, done: (failure?: Error) => void) => void work.then(() => done(), done)
  return new Writable({
    write: (piece: Uint8Array, _, done) => settle(writer.then((open) => open.write(piece)), done),
    final: (done) => settle(writer.then((open) => open.close()), done)
  })
}

/** A command of the guest as Node's `ChildProcess`, at once: it starts meanwhile. */
export class GuestProcess extends EventEmitter implements SpawnedProcess {
  readonly stdin: Writable
  readonly stdout: Readable
  killed = false
  exitCode: number | null = null
  signalCode: NodeJS.Signals | null = null
  readonly #starting: Promise<Process>

  constructor(starting: Promise<Process>, signal: AbortSignal | undefined) {
    super()
    this.#starting = starting
    this.stdin = inputOf(starting)
    this.stdout = Readable.from(outputOf(starting), { objectMode: false })
    starting.then((started) => started.wait()).then(
      ({ signal: by, status }) => {
        this.signalCode = by as NodeJS.Signals | null
        this.exitCode = by === null ? status : null
        this.emit("exit", this.exitCode, this.signalCode)
      },
      (failure: unknown) => this.emit("error", failure)
    )
    if (signal !== undefined) addAbortListener(signal, () => this.kill("SIGTERM"))
  }

  /** Sends a signal to the command and all its processes. False if it has ended. */
  kill(signal: NodeJS.Signals): boolean {
    if (this.exitCode !== null || this.signalCode !== null) return false
    this.killed = true
    this.#starting.then((started) => started.kill(signal)).catch(() => undefined)
    return true
  }
}
