import { Effect, type Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import type { Socket } from "node:net"
import { nodeEnvironment } from "../../../../system/processes/environment.ts"
import { waitFor } from "../../../../system/waits/signal.ts"
import {
  type AddressesMessage,
  type Answer,
  type AnsweredMessage,
  type AuthorityMessage,
  type DialMessage,
  type LookUpMessage,
  type RefusedMessage,
  type Request,
  type Response,
  THREADS,
  type Told
} from "../../both/dial/protocol.ts"
import type { Authority } from "../../both/intercept/interception.ts"
import { release, reset } from "../../model/reset.ts"
import { dialProgram } from "./program.ts"

/** Maximum heap of the process, in MiB. */
const HEAP_MIB = 128

/** Answer of the process to one request. */
type Outcome = { readonly message: Answer; readonly socket: Socket | undefined }

export type Failure = Pick<RefusedMessage, "detail" | "failure" | "remedy">

const failed = (detail: string): Failure => ({ failure: "failed", detail, remedy: undefined })

/** Gets reports about a connection after it was made; `undefined` once the process has ended. */
type Listener = (told: Told | undefined) => void

/** One run of the dial process. Every request is answered, at the latest when the process ends. */
class DialRun {
  readonly #child: ChildProcess
  /** By request. */
  readonly #listeners = new Map<number, Listener>()
  readonly #pending = new Map<number, (outcome: Outcome | Failure) => void>()
  isOver = false

  /** Throws if no process can be made, or if the source tree was not built. */
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
    // The splice handles failures of the socket; without a listener they would end the daemon.
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
    // A process that only loses its channel would continue.
    this.#child.kill("SIGKILL")
    for (const settle of [...this.#pending.values()]) settle(failed(detail))
    this.#pending.clear()
    for (const listener of [...this.#listeners.values()]) listener(undefined)
    this.#listeners.clear()
  }
}

/** Maximum requests that wait for the process at a time. A guest has 1,280 at most: some guests must not fill the queue of all. */
const MAX_PENDING = 65_536

/** The dial process, which starts with the first request and again after a crash. */
export interface DialProcess {
  /** Starts the process before the first request, which tells of a failure. */
  readonly prepare: Effect.Effect<void>
  /** The listener gets reports about the connection until the Scope closes. */
  readonly dial: (request: Omit<DialMessage, "_tag" | "id">, listener?: Listener) => Effect.Effect<
    { readonly socket: Socket; readonly address: string; readonly viaProxy: boolean },
    Failure,
    Scope.Scope
  >
  /** Addresses of a name, as this host's own programs get them. */
  readonly addressesOf: (
    request: Omit<AddressesMessage, "_tag" | "id">
  ) => Effect.Effect<ReadonlyArray<string>, Failure>
  readonly lookUp: (request: Omit<LookUpMessage, "_tag" | "id">) => Effect.Effect<AnsweredMessage, Failure>
  readonly makeAuthority: (request: Omit<AuthorityMessage, "_tag" | "id">) => Effect.Effect<Authority, Failure>
}

/** The Scope ends the process. */
export const startDialProcess: Effect.Effect<DialProcess, never, Scope.Scope> = Effect.gen(function*() {
  const state = { run: undefined as DialRun | undefined, lastId: 0 }
  // The first request comes late, maybe after a new version was installed. It tells of a missing program.
  yield* Effect.ignore(Effect.try(dialProgram))
  yield* Effect.addFinalizer(() => Effect.sync(() => state.run?.stop()))

  const running = (): DialRun | Failure => {
    if (state.run !== undefined && !state.run.isOver) return state.run
    try {
      return state.run = new DialRun()
    } catch (error) {
      return failed(`the dial process cannot start: ${(error as Error).message}`)
    }
  }

  const ask = (
    request:
      | Omit<DialMessage, "id">
      | Omit<LookUpMessage, "id">
      | Omit<AddressesMessage, "id">
      | Omit<AuthorityMessage, "id">,
    settle: (outcome: Outcome | Failure) => void,
    listening?: { readonly listener: Listener; stop?: () => void }
  ) => {
    const run = running()
    if (!(run instanceof DialRun) || run.size >= MAX_PENDING) {
      settle(run instanceof DialRun ? failed("too many connections wait on this host") : run)
      return Effect.void
    }
    const id = (state.lastId += 1)
    if (listening !== undefined) listening.stop = run.listen(id, listening.listener)
    run.request({ ...request, id }, settle)
    return Effect.sync(() => run.cancel(id))
  }

  /** Asks for an answer without a socket. */
  const answerTo = <A>(
    request: Parameters<typeof ask>[0],
    read: (message: Answer) => A | undefined
  ): Effect.Effect<A, Failure> =>
    waitFor((resume) =>
      ask(request, (outcome) => {
        if (!("message" in outcome)) return resume(Effect.fail(outcome))
        const { message } = outcome
        if (message._tag === "Refused") return resume(Effect.fail(message))
        const found = read(message)
        resume(found === undefined ? Effect.fail(failed("the dial process gave no answer")) : Effect.succeed(found))
      })
    )

  return {
    prepare: Effect.sync(() => void running()),
    dial: (request, listener) =>
      Effect.gen(function*() {
        // The socket has an owner from the moment it arrives, also when the fiber is interrupted in that moment.
        const held = { socket: undefined as Socket | undefined }
        yield* Effect.addFinalizer(() => Effect.sync(() => held.socket !== undefined && release(held.socket)))
        const listening: { readonly listener: Listener; stop?: () => void } | undefined = listener && { listener }
        yield* Effect.addFinalizer(() => Effect.sync(() => listening?.stop?.()))
        return yield* waitFor<
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
          }, listening)
        )
      }),
    addressesOf: (request) =>
      answerTo(
        { ...request, _tag: "FindAddresses" },
        (message) => message._tag === "AddressesFound" ? message.addresses : undefined
      ),
    lookUp: (request) =>
      answerTo({ ...request, _tag: "LookUp" }, (message) => message._tag === "Answered" ? message : undefined),
    makeAuthority: (request) =>
      answerTo(
        { ...request, _tag: "MakeAuthority" },
        (message) => message._tag === "AuthorityMade" ? message.authority : undefined
      )
  }
})
