import { Effect, type Scope } from "effect"
import type { Socket } from "node:net"
import { waitFor } from "../../system/waits/afterwards.ts"
import type { Authority } from "../intercept/interception.ts"
import { release } from "../reset.ts"
import { DialRun, failed, type Failure, type Listener, type Outcome } from "./dial-run.ts"
import { dialProgram } from "./program.ts"
import type {
  AddressesMessage,
  Answer,
  AnsweredMessage,
  AuthorityMessage,
  DialMessage,
  LookUpMessage
} from "./protocol.ts"

/** Maximum requests that wait for the process at a time. A guest has 1,280 at most: some guests must not fill the queue of all. */
const MAX_PENDING = 65_536

/** The dial process, which starts with the first request and again after a crash. */
export interface DialProcess {
  /** Starts the process before the first request. A failure is told by the request. */
  readonly prepare: Effect.Effect<void>
  /** The listener hears of the connection until the Scope closes. */
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
  // The first request comes late, maybe after a new package has come. It tells of a program that is not there.
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
