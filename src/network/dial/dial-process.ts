import { Effect, type Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import type { Socket } from "node:net"
import { processEnvironment } from "../../system/config.ts"
import { dialProgram } from "./program.ts"
import type { AnsweredMessage, DialMessage, LookUpMessage, RefusedMessage, Request, Response } from "./protocol.ts"
import { THREADS } from "./threads.ts"

/** Maximum requests that wait for the process at a time. */
const MAX_PENDING = 4_096

/** Maximum heap of the process, in MiB. */
const HEAP_MIB = 128

/** What the process answered to one request. */
type Outcome = { readonly message: Response; readonly socket: Socket | undefined }

type Failure = Pick<RefusedMessage, "detail" | "failure" | "option">

const failed = (detail: string): Failure => ({ failure: "failed", detail, option: undefined })

/** The dial process, which starts with the first request and again after a crash. */
export interface DialProcess {
  readonly dial: (request: Omit<DialMessage, "_tag" | "id">) => Effect.Effect<
    { readonly socket: Socket; readonly address: string; readonly viaProxy: boolean },
    Failure,
    Scope.Scope
  >
  readonly lookUp: (request: Omit<LookUpMessage, "_tag" | "id">) => Effect.Effect<AnsweredMessage, Failure>
}

/** One run of the program. */
class Run {
  readonly #child: ChildProcess
  readonly #pending = new Map<number, (outcome: Outcome | Failure) => void>()
  isOver = false

  constructor() {
    const { NODE_OPTIONS: _, ...variables } = processEnvironment()
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
    child.stdin!.end(dialProgram())
  }

  get size() {
    return this.#pending.size
  }

  request(message: Request, settle: (outcome: Outcome | Failure) => void) {
    this.#pending.set(message.id, settle)
    this.#send(message)
  }

  cancel(id: number) {
    if (this.#pending.delete(id)) this.#send({ _tag: "Cancel", id })
  }

  stop() {
    this.#end("the dial process was stopped")
    this.#child.kill("SIGKILL")
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
    const settle = this.#pending.get(message.id)
    this.#pending.delete(message.id)
    if (settle === undefined) socket?.resetAndDestroy()
    else settle({ message, socket })
  }

  #end(detail: string) {
    this.isOver = true
    for (const settle of [...this.#pending.values()]) settle(failed(detail))
    this.#pending.clear()
  }
}

/** The Scope ends the process. */
export const startDialProcess: Effect.Effect<DialProcess, never, Scope.Scope> = Effect.gen(function*() {
  const state = { run: undefined as Run | undefined, lastId: 0 }
  yield* Effect.addFinalizer(() => Effect.sync(() => state.run?.stop()))

  const ask = (
    request: Omit<DialMessage, "id"> | Omit<LookUpMessage, "id">,
    settle: (outcome: Outcome | Failure) => void
  ) => {
    if (state.run === undefined || state.run.isOver) state.run = new Run()
    const { run } = state
    if (run.size >= MAX_PENDING) {
      settle(failed("too many connections wait on this host"))
      return Effect.void
    }
    const id = (state.lastId += 1)
    run.request({ ...request, id }, settle)
    return Effect.sync(() => run.cancel(id))
  }

  return {
    dial: (request) =>
      Effect.gen(function*() {
        // The socket has an owner from the moment it arrives, also when the fiber is interrupted in that moment.
        const held = { socket: undefined as Socket | undefined }
        yield* Effect.addFinalizer(() => Effect.sync(() => held.socket !== undefined && release(held.socket)))
        return yield* Effect.async<
          { readonly socket: Socket; readonly address: string; readonly viaProxy: boolean },
          Failure
        >((resume) =>
          ask({ ...request, _tag: "Dial" }, (outcome) => {
            if (!("message" in outcome)) return resume(Effect.fail(outcome))
            const { message, socket } = outcome
            held.socket = socket
            if (message._tag === "Refused") return resume(Effect.fail(message))
            if (message._tag !== "Connected" || socket === undefined) {
              return resume(Effect.fail(failed("the connection was lost before its first byte")))
            }
            socket.allowHalfOpen = true
            if (message.head !== "") socket.unshift(Buffer.from(message.head, "base64"))
            resume(Effect.succeed({ socket, address: message.address, viaProxy: message.viaProxy }))
          })
        )
      }),
    lookUp: (request) =>
      Effect.async((resume) =>
        ask({ ...request, _tag: "LookUp" }, (outcome) => {
          if (!("message" in outcome)) return resume(Effect.fail(outcome))
          const { message } = outcome
          if (message._tag === "Answered") return resume(Effect.succeed(message))
          resume(Effect.fail(message._tag === "Refused" ? message : failed("the dial process gave no answer")))
        })
      )
  }
})

/** A socket whose sides have both ended closes; any other is reset. */
const release = (socket: Socket) => {
  if (socket.readableEnded && socket.writableFinished) socket.destroy()
  else socket.resetAndDestroy()
}
