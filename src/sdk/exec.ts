import { Effect, Option, Scope, Stream } from "effect"
import type { PyroError } from "../contract/errors.ts"
import { INPUT_HEADER, RESUMED_HEADER } from "../contract/input-rpcs.ts"
import type { ExecEvent, ExecPayload } from "../contract/operations/workspace-exec.ts"
import type { RunInput } from "../contract/Pyro.ts"
import { newRequestId } from "../system/identity.ts"
import { makeInputTape } from "./input-tape.ts"
import { type Client, type ConnectionLost, failureOf, lost, type Session } from "./session.ts"

/** Connections lost one after the other, with nothing told in between, after which it is given up. */
const MOST_LOST = 6
const BETWEEN_MS = 50

export const sinkOf = ({ input }: Client, id: string) => ({
  write: (bytes: Uint8Array) => input.write({ id, bytes }),
  end: input.end({ id }),
  resize: (size: { readonly rows: number; readonly cols: number }) => input.resize({ id, ...size })
})

type Call = (
  client: Client,
  payload: ExecPayload,
  headers: Record<string, string>
) => Stream.Stream<ExecEvent, PyroError | ConnectionLost>

/**
 * Runs a command and survives its daemon: the command has an id from here on, and when the connection is lost, the next daemon is
 * asked for that id from the byte on that the caller has not got yet. Input goes on where the guest has it.
 */
export const makeExec =
  (session: Session, call: Call) => (payload: ExecPayload, input: RunInput = {}): Stream.Stream<ExecEvent, PyroError> =>
    Stream.unwrapScoped(Effect.gen(function*() {
      const execId = payload.execId ?? newRequestId()
      // Whoever only asks for a command that is known has not started it.
      const starts = payload.execId === undefined || payload.command.length > 0 || payload.script !== undefined
      const until = payload.waitSeconds === undefined ? undefined : Date.now() + payload.waitSeconds * 1000
      const tape = yield* makeInputTape(input)
      const hasInput = input.stdin !== undefined || input.resizes !== undefined
      let { cursor } = payload
      let hasStarted = false
      let losses = 0

      const request = (): ExecPayload => ({
        ...payload,
        execId,
        ...(cursor === undefined ? {} : { cursor }),
        ...(until === undefined ? {} : { waitSeconds: Math.max(0, (until - Date.now()) / 1000) })
      })

      const attempt = (resumed: boolean): Stream.Stream<ExecEvent, PyroError> =>
        Stream.unwrapScoped(Effect.gen(function*() {
          const client = yield* session.client
          const inputId = newRequestId()
          const sink = sinkOf(client, inputId)
          const headers = {
            ...(hasInput ? { [INPUT_HEADER]: inputId } : {}),
            ...(resumed && starts ? { [RESUMED_HEADER]: "yes" } : {})
          }
          if (!resumed) yield* tape(sink, 0)
          const scope = yield* Effect.scope
          const each = (event: ExecEvent) =>
            Effect.gen(function*() {
              losses = 0
              if (event._tag === "Output") cursor = event.next
              if (event._tag !== "Started") return Option.some(event)
              cursor ??= 0
              if (resumed) yield* Effect.provideService(tape(sink, event.stdinBytes ?? 0), Scope.Scope, scope)
              if (hasStarted) return Option.none<ExecEvent>()
              hasStarted = true
              return Option.some(event)
            })
          return call(client, request(), headers).pipe(
            Stream.mapEffect(each),
            Stream.filterMap((event) => event),
            Stream.catchAll((failure) =>
              failure._tag !== "ConnectionLost"
                ? Stream.fail(failure)
                : Stream.unwrap(Effect.as(session.failed(client), again()))
            )
          )
        }))

      const again = () =>
        ++losses > MOST_LOST
          ? Stream.fail(lost(`again and again; the command goes on, come back to it with --exec-id ${execId}`))
          // A daemon that is being killed may take connections for another moment.
          : Stream.unwrap(Effect.as(Effect.sleep(BETWEEN_MS * (losses - 1)), attempt(true)))

      return attempt(false)
    }))

export const lostAsFailure = <A>(events: Stream.Stream<A, unknown>): Stream.Stream<A, PyroError | ConnectionLost> =>
  Stream.catchAllCause(events, (cause) => Stream.failCause(failureOf(cause)))
