import { Effect, Exit, Option, Scope } from "effect"
import type { PyroError } from "../contract/errors/errors.ts"
import { call } from "../contract/errors/next-step.ts"
import { callFromPull, type PullEvents } from "../contract/rows/event-batches.ts"
import { requireCommand, requireRead } from "../contract/rows/exec-validation.ts"
import type { ExecEvent, ExecPayload } from "../contract/rows/workspace-exec.ts"
import { ENDS_WITH_CALLER_HEADER, NO_OUTPUT_HEADER, RESUMED_HEADER, type StreamingRow } from "../contract/wire/rpcs.ts"
import { newRequestId } from "../system/processes/identity.ts"
import { clockReader } from "../system/waits/time.ts"
import { type ConnectionLost, isLost, lost, type RequestFailure } from "./connection/failures.ts"
import { inputHeaders, makeInputBuffer } from "./connection/input-buffer.ts"
import { makePatience, PATIENCE_MS } from "./connection/patience.ts"
import type { Session } from "./connection/session.ts"
import type { BegunRequest, StartedExec } from "./model/started-exec.ts"

/**
 * Runs a command and survives its daemon. The client mints the command's id. After a lost connection, it asks the next daemon for
 * this id from the next missing byte. Input continues at the guest's offset.
 */
export const makeExec = (session: Session, row: StreamingRow, startedBefore?: StartedExec) => {
  let early = startedBefore
  return callFromPull<ExecEvent, ExecPayload, PyroError>((payload, input = {}) =>
    Effect.gen(function*() {
      yield* requireCommand(payload)
      yield* requireRead(payload, input)
      const before = early
      early = undefined
      const execId = before?.execId ?? payload.execId ?? newRequestId()
      // A request for a known command does not start it.
      const starts = payload.execId === undefined || payload.command.length > 0 || payload.script !== undefined
      const { monotonicMs } = yield* clockReader
      const untilMs = payload.waitSeconds === undefined ? undefined : monotonicMs() + payload.waitSeconds * 1000
      const hasInput = input.stdin !== undefined || input.resizes !== undefined
      const inputBuffer = hasInput ? yield* makeInputBuffer(input) : undefined
      let cursor = before === undefined || before.shownBytes === 0 ? payload.cursor : before.shownBytes
      let hasStarted = false
      const patience = yield* makePatience(PATIENCE_MS)

      const request = (): ExecPayload => ({
        ...payload,
        execId,
        ...(cursor === undefined ? {} : { cursor }),
        ...(untilMs === undefined ? {} : { waitSeconds: Math.max(0, (untilMs - monotonicMs()) / 1000) })
      })

      /** Records the position. False for an event that the caller already has. */
      const isNews = (event: ExecEvent) => {
        patience.renew()
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

      const parent = yield* Effect.scope
      let play: (offset: number) => Effect.Effect<void> = () => Effect.void
      const attempt = (resumed: boolean, begun?: BegunRequest) =>
        Effect.gen(function*() {
          // The input of a lost request must not go on: it would use up what the next one needs.
          const scope = yield* Scope.fork(parent)
          const connection = yield* session.connection
          const inputId = inputBuffer && newRequestId()
          if (inputBuffer && inputId) {
            const { input } = connection
            play = (offset) => Effect.provideService(inputBuffer.play(input(inputId), offset), Scope.Scope, scope)
          }
          const headers = {
            ...(inputId === undefined ? {} : inputHeaders(inputId, input)),
            ...(resumed && starts ? { [RESUMED_HEADER]: "yes" } : {}),
            ...(input.endsWithCaller === true ? { [ENDS_WITH_CALLER_HEADER]: "yes" } : {}),
            ...(input.withoutOutput === true ? { [NO_OUTPUT_HEADER]: "yes" } : {})
          }
          if (!resumed) yield* play(0)
          const events = connection.events(row, request(), headers, {
            begun,
            isBackground: input.isBackground === true
          })
          const next = yield* Scope.provide(events, scope)
          return { connection, next: next as PullEvents<ExecEvent, RequestFailure>, resumed, scope }
        })

      let current = yield* attempt(before !== undefined && before.request === undefined, before?.request)

      /** The events that the caller does not have. Input continues where the guest is. */
      const taken = (events: ReadonlyArray<ExecEvent>) => {
        const news = events.filter(isNews).map(unshown)
        if (!current.resumed) return Effect.succeed(news)
        const started = events.find((event) => event._tag === "Started")
        return started === undefined ? Effect.succeed(news) : Effect.as(play(started.stdinBytes ?? 0), news)
      }

      const outlives = payload.detach || !starts || (untilMs !== undefined && input.endsWithCaller !== true)
      const fate = outlives ? `The command ${execId} goes on` : `The daemon ends the command ${execId} soon`
      const overFor = ({ isGivenUp }: ConnectionLost) =>
        isGivenUp
          ? lost(`and no other one could be made in time. ${fate}`, [
            call("Look at what it did", "workspace.logs", { workspace: payload.workspace, exec_id: execId })
          ])
          : lost(`again and again; the command goes on as ${execId}`)

      // A daemon that is being killed may accept connections for another moment.
      const again = (failure: ConnectionLost) =>
        Effect.flatMap(
          failure.isGivenUp ? Effect.succeed(false) : patience.wait,
          (mayTry) => mayTry ? attempt(true) : Effect.fail(overFor(failure))
        )

      const pull: Effect.Effect<ReadonlyArray<ExecEvent>, Option.Option<PyroError>> = Effect.matchEffect(
        Effect.suspend(() => current.next()),
        {
          onSuccess: taken,
          onFailure: (end) => {
            if (Option.isNone(end)) return Effect.fail(Option.none())
            if (!isLost(end.value)) return Effect.fail(Option.some(end.value))
            return Scope.close(current.scope, Exit.void).pipe(
              Effect.andThen(session.failed(current.connection, end.value)),
              Effect.flatMap((failure) => Effect.mapError(again(failure), Option.some)),
              Effect.flatMap((made) => {
                current = made
                return pull
              })
            )
          }
        }
      )
      const guarded = inputBuffer === undefined ? pull : inputBuffer.guard(pull)
      return () => guarded
    })
  )
}
