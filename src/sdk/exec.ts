import { Effect, type Scope, Stream } from "effect"
import type { PyroError } from "../contract/errors/errors.ts"
import {
  callFromFirst,
  type FirstEvents,
  type StartOperation,
  streamFromFirst
} from "../contract/rows/event-batches.ts"
import { requireCommand, requireRead } from "../contract/rows/exec-validation.ts"
import type { ExecEvent, ExecPayload } from "../contract/rows/workspace-exec.ts"
import type { StreamingRow } from "../contract/wire/event-rpcs.ts"
import { ENDS_WITH_CALLER_HEADER, INPUT_HEADER, RESUMED_HEADER } from "../contract/wire/input-rpcs.ts"
import { newRequestId } from "../system/processes/identity.ts"
import { clockReader } from "../system/waits/time.ts"
import { firstEvents } from "./first-events.ts"
import { makeInputBuffer } from "./input-buffer.ts"
import { type Client, type ConnectionLost, isLost, lost, type Session } from "./session.ts"
import type { StartedExec } from "./started-exec.ts"

/** Maximum number of connections lost in a row without an event in between. */
const MOST_LOST = 6
const BETWEEN_MS = 50

export const sinkOf = (client: Client, id: string) => ({
  write: (bytes: Uint8Array): Effect.Effect<unknown, unknown> =>
    client.direct?.isOpen === true ? client.direct.writeInput(id, bytes) : client["input.write"]({ id, bytes }),
  end: client["input.end"]({ id }),
  interrupt: client["input.interrupt"]({ id }),
  resize: (size: { readonly rows: number; readonly cols: number }) => client["input.resize"]({ id, ...size })
})

/**
 * Runs a command and survives its daemon. The client mints the command's id. After a lost connection, it asks the next daemon for
 * this id from the next missing byte. Input continues at the guest's offset.
 */
export const makeExec = (session: Session, row: StreamingRow, startedBefore?: StartedExec) => {
  let taken = startedBefore
  const first: StartOperation<ExecEvent, ExecPayload> = (payload, input = {}) =>
    Effect.gen(function*() {
      yield* requireCommand(payload)
      yield* requireRead(payload, input)
      const before = taken
      taken = undefined
      const execId = before?.execId ?? payload.execId ?? newRequestId()
      // A request for a known command does not start it.
      const starts = payload.execId === undefined || payload.command.length > 0 || payload.script !== undefined
      const { monotonicMs } = yield* clockReader
      const untilMs = payload.waitSeconds === undefined ? undefined : monotonicMs() + payload.waitSeconds * 1000
      const hasInput = input.stdin !== undefined || input.resizes !== undefined
      const inputBuffer = hasInput ? yield* makeInputBuffer(input) : undefined
      let cursor = before === undefined || before.shownBytes === 0 ? payload.cursor : before.shownBytes
      let hasStarted = false
      let losses = 0

      const request = (): ExecPayload => ({
        ...payload,
        execId,
        ...(cursor === undefined ? {} : { cursor }),
        ...(untilMs === undefined ? {} : { waitSeconds: Math.max(0, (untilMs - monotonicMs()) / 1000) })
      })

      /** Records the position. False for an event that the caller already has. */
      const isNews = (event: ExecEvent) => {
        losses = 0
        if (event._tag === "Output") cursor = event.next
        if (event._tag !== "Started") return true
        cursor ??= 0
        const isFirst = !hasStarted
        hasStarted = true
        return isFirst
      }

      /** The part of an event that was not shown before the program was loaded. */
      const unshown = (event: ExecEvent): ExecEvent =>
        before === undefined || event._tag !== "Output" || event.next - event.bytes.length >= before.shownBytes
          ? event
          : {
            ...event,
            bytes: event.bytes.subarray(Math.max(0, event.bytes.length - (event.next - before.shownBytes)))
          }

      const attempt = (
        resumed: boolean,
        requestId?: string
      ): Effect.Effect<FirstEvents<ExecEvent>, PyroError, Scope.Scope> =>
        Effect.gen(function*() {
          const client = yield* session.client
          const inputId = inputBuffer && newRequestId()
          const play = (offset: number) =>
            inputBuffer && inputId ? inputBuffer(sinkOf(client, inputId), offset) : Effect.void
          const headers = {
            ...(inputId === undefined ? {} : { [INPUT_HEADER]: inputId }),
            ...(resumed && starts ? { [RESUMED_HEADER]: "yes" } : {}),
            ...(input.endsWithCaller === true ? { [ENDS_WITH_CALLER_HEADER]: "yes" } : {})
          }
          if (!resumed) yield* play(0)
          const lostHere = (failure: ConnectionLost) => Effect.flatMap(session.failed(client, failure), again)
          return yield* firstEvents<ExecEvent>(client, row, request(), headers, requestId).pipe(
            Effect.tap(({ events }) => {
              const started = events.find((event) => event._tag === "Started")
              return resumed && started !== undefined ? play(started.stdinBytes ?? 0) : Effect.void
            }),
            Effect.map(({ events, rest }): FirstEvents<ExecEvent> => ({
              events: events.filter(isNews).map(unshown),
              rest: rest && Stream.catch(
                Stream.map(Stream.filter(rest, isNews), unshown),
                (failure) => isLost(failure) ? streamFromFirst(lostHere(failure)) : Stream.fail(failure)
              )
            })),
            Effect.catchIf(isLost, lostHere)
          )
        })

      const again = (): ReturnType<typeof attempt> =>
        ++losses > MOST_LOST
          ? Effect.fail(lost(`again and again; the command goes on, come back to it with --exec-id ${execId}`))
          // A daemon that is being killed may accept connections for another moment.
          : Effect.andThen(Effect.sleep(BETWEEN_MS * (losses - 1)), attempt(true))

      return yield* before?.socket === undefined
        ? attempt(before !== undefined)
        : attempt(false, before.requestId)
    })
  return callFromFirst(first)
}
