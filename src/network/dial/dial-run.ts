import { type ChildProcess, spawn } from "node:child_process"
import type { Socket } from "node:net"
import { nodeEnvironment } from "../../system/processes/node-environment.ts"
import { reset } from "../reset.ts"
import { dialProgram } from "./program.ts"
import type { Answer, RefusedMessage, Request, Response, Told } from "./protocol.ts"
import { THREADS } from "./threads.ts"

/** Maximum heap of the process, in MiB. */
const HEAP_MIB = 128

/** What the process answered to one request. */
export type Outcome = { readonly message: Answer; readonly socket: Socket | undefined }

export type Failure = Pick<RefusedMessage, "detail" | "failure" | "option">

export const failed = (detail: string): Failure => ({ failure: "failed", detail, option: undefined })

/** Hears of a connection after it was made; `undefined` once the process has ended. */
export type Listener = (told: Told | undefined) => void

/** One run of the dial process. Every request is answered, at the latest when the process ends. */
export class DialRun {
  readonly #child: ChildProcess
  /** By request. */
  readonly #listeners = new Map<number, Listener>()
  readonly #pending = new Map<number, (outcome: Outcome | Failure) => void>()
  isOver = false

  /** Throws where a process cannot be made, or a source tree was not built. */
  constructor() {
    const program = dialProgram()
    const variables = nodeEnvironment()
    const child = spawn(process.execPath, [`--max-old-space-size=${HEAP_MIB}`, "-", "network-dial"], {
      cwd: "/",
      // A session of its own: a terminal's Ctrl-C is for its owner, which ends the process.
      detached: true,
      env: { ...variables, UV_THREADPOOL_SIZE: String(THREADS) },
      stdio: ["pipe", "ignore", "inherit", "ipc"]
    })
    this.#child = child
    child.on("error", (error) => this.#end(`the dial process cannot start: ${error.message}`))
    child.on("exit", (code, signal) => this.#end(`the dial process ended with ${signal ?? `status ${code}`}`))
    child.on("message", (message, socket) => this.#receive(message as Response, socket as Socket | undefined))
    child.stdin!.on("error", () => {}) // its exit tells
    child.stdin!.end(program)
  }

  get size() {
    return this.#pending.size
  }

  request(message: Request, settle: (outcome: Outcome | Failure) => void) {
    this.#pending.set(message.id, settle)
    this.#send(message)
  }

  /** Until the returned function is called. */
  listen(id: number, listener: Listener) {
    this.#listeners.set(id, listener)
    return () => void this.#listeners.delete(id)
  }

  cancel(id: number) {
    if (this.#pending.delete(id)) this.#send({ _tag: "Cancel", id })
  }

  stop() {
    this.#end("the dial process was stopped")
  }

  #send(message: Request) {
    if (this.isOver) return
    this.#child.send(message, (error) => {
      if (error !== null) this.#end(`the dial process cannot be reached: ${error.message}`)
    })
  }

  #receive(message: Response, socket: Socket | undefined) {
    // Its failures are the splice's to see; without a listener they would end the daemon.
    socket?.on("error", () => {})
    if (message._tag === "InterceptionDenied" || message._tag === "CacheServed") {
      return this.#listeners.get(message.id)?.(message)
    }
    const settle = this.#pending.get(message.id)
    this.#pending.delete(message.id)
    if (settle !== undefined) settle({ message, socket })
    else if (socket !== undefined) reset(socket)
  }

  #end(detail: string) {
    this.isOver = true
    // A process that only the channel has left would go on.
    this.#child.kill("SIGKILL")
    for (const settle of [...this.#pending.values()]) settle(failed(detail))
    this.#pending.clear()
    for (const listener of [...this.#listeners.values()]) listener(undefined)
    this.#listeners.clear()
  }
}
