import { Effect, Schedule, Stream } from "effect"
import { InvalidRequest, type PyroError } from "../../contract/errors/errors.ts"
import { forEachEvent } from "../../contract/rows/event-batches.ts"
import { payloadOf } from "../../contract/rows/payload-of.ts"
import type { RunInput } from "../../contract/rows/run-input.ts"
import { type ExecEvent, type ExecPayload } from "../../contract/rows/workspace-exec.ts"
import { MAX_TEXT_CHARACTERS } from "../bounded.ts"
import { firstOf, keepOutput, type OutputPiece, textOf } from "../output.ts"
import type { Done, Request, Tool } from "../request.ts"
import { asSeen } from "../terminal.ts"
import { callText, lines } from "../words.ts"
import { ExecReport, type Exited, stateOf, streamsText, verdictOf } from "./commands.ts"

interface Page {
  readonly id: string
  readonly from: number
  readonly to: number
  /** The call that goes on at a cursor. */
  readonly again: (cursor: string) => string
}

/** A page of a command's omitted output, from its beginning. */
const pageOfOutput = (
  { own, payload, pyro }: Request<ExecPayload>,
  { again, from, id, to }: Page
): Effect.Effect<Done<ExecReport>, PyroError> =>
  Effect.gen(function*() {
    /** Only reads: neither starts nor ends the command. */
    const listen = (cursor: number) =>
      pyro.workspace.exec({ ...payload, execId: id, maxBytes: 0, waitSeconds: 0.25, cursor })
    const pieces: Array<OutputPiece> = []
    let bytes = 0
    const add = (piece: OutputPiece) => {
      pieces.push(piece)
      bytes += piece.bytes.length
    }
    const seen = own["raw"] === true ? undefined : asSeen(add, from)
    let read = from
    yield* Stream.runForEachWhile(listen(from), (event) =>
      Effect.sync(() => {
        if (event._tag !== "Output") return event._tag === "Started" || event._tag === "Notice"
        const surplus = Math.max(0, event.next - to)
        const piece = event.bytes.subarray(0, Math.max(0, event.bytes.length - surplus))
        read = Math.min(event.next, to)
        if (piece.length > 0) (seen?.push ?? add)({ from: event.from, bytes: piece, next: event.next - surplus })
        return event.next < to && bytes < MAX_TEXT_CHARACTERS
      }))
    seen?.end(false)
    const page = firstOf(pieces, MAX_TEXT_CHARACTERS)
    const isWhole = page.length === pieces.length && page.at(-1)?.bytes.length === pieces.at(-1)?.bytes.length
    // Dropped codes may follow the shown text. A page without any text would come again for ever.
    const end = isWhole ? read : page.at(-1)?.next ?? read
    const isLast = end >= to
    let exited: Exited | undefined
    yield* Stream.runForEach(listen(to), (event) =>
      Effect.sync(() => {
        if (event._tag === "Exited") exited = event
      }))
    const nextCursor = isLast ? null : `${end}-${to}`
    const result: ExecReport = {
      ...stateOf(exited),
      stdout: textOf(page, "stdout"),
      stderr: textOf(page, "stderr"),
      truncated: !isLast,
      warnings: [],
      execId: id,
      nextCursor
    }
    const state = exited === undefined ? "still runs" : `ended: ${verdictOf(exited)}`
    const text = lines(
      `output from byte ${from} to ${end}; the command ${state}`,
      nextCursor === null ? undefined : `continue with ${again(nextCursor)}`,
      streamsText(result)
    )
    return { result, text }
  })

/** `1200` is everything from there on, shown by its beginning and end; `1200-90000` is read page by page. */
const CURSOR = /^(\d{1,15})(?:-(\d{1,15}))?$/

/** A poll must not miss output that is already there. */
const LEAST_WAIT_SECONDS = 0.25

/** Characters of the id of an ended command in a text: a host may show its model no more, and `before` of a reset takes a prefix. */
const SHOWN_ID = 8

const newExecId = () => crypto.randomUUID().replaceAll("-", "")

export const inputOf = (stdin: unknown): RunInput =>
  typeof stdin === "string" ? { stdin: Stream.make(new TextEncoder().encode(stdin)) } : {}

const perform = (request: Request<ExecPayload>): Effect.Effect<Done<ExecReport>, PyroError> =>
  Effect.gen(function*() {
    const { own, payload } = request
    const { execId, script, waitSeconds = 0, workspace } = payload
    const starts = script !== undefined
    if (starts === (execId !== undefined)) {
      return yield* new InvalidRequest({
        field: "command",
        detail: "give either command or exec_id of a started command"
      })
    }
    if (starts && own["cancel"] === true) {
      return yield* new InvalidRequest({
        field: "cancel",
        detail: "needs exec_id of a started command"
      })
    }
    const [, from, to] = CURSOR.exec(String(own["cursor"] ?? "0")) ?? []
    if (from === undefined || (starts && own["cursor"] !== undefined)) {
      return yield* new InvalidRequest({ field: "cursor", detail: "must be the next_cursor of that exec_id" })
    }
    const id = execId ?? newExecId()
    const again = (cursor: string) => callText("workspace_exec", { workspace_id: workspace, exec_id: id, cursor })
    if (to !== undefined) return yield* pageOfOutput(request, { id, from: Number(from), to: Number(to), again })

    if (own["cancel"] === true) yield* request.pyro.workspace.cancel({ workspace, execId: id })
    const kept = keepOutput(Number(from))
    let exited: Exited | undefined
    const warnings: Array<string> = []
    const asked = {
      ...payload,
      execId: id,
      maxBytes: 0,
      waitSeconds: Math.max(waitSeconds, LEAST_WAIT_SECONDS),
      ...(starts ? {} : { cursor: Number(from) })
    }
    const seen = own["raw"] === true ? undefined : asSeen(kept.add, Number(from))
    const take = (event: ExecEvent) =>
      Effect.sync(() => {
        if (event._tag === "Output") (seen?.push ?? kept.add)(event)
        if (event._tag === "Notice" && event.level === "warning") warnings.push(request.told(event))
        if (event._tag === "Exited") exited = event
      })
    // A server that is killed cancels nothing: the daemon ends the command when the connection is lost.
    const input = { ...inputOf(own["stdin"]), endsWithCaller: starts }
    const listening = forEachEvent(request.pyro.workspace.exec, asked, input, take)
    yield* starts
      ? Effect.onInterrupt(detachingAtTimeOut(request, id, listening), () => endStarted(request, id))
      : listening
    const resumeAt = seen?.end(exited === undefined)
    const { next, omitted, stderr, stdout } = kept.shown((gap) => `read it with ${again(`${gap.from}-${gap.to}`)}`)
    const nextCursor = exited === undefined
      ? `${resumeAt ?? next}`
      : omitted === undefined
      ? null
      : `${omitted.from}-${omitted.to}`
    const result: ExecReport = {
      ...stateOf(exited),
      stdout,
      stderr,
      truncated: omitted !== undefined,
      warnings,
      execId: id,
      nextCursor
    }
    const verdict = exited === undefined
      ? `still running after ${waitSeconds} s; continue with ${again(nextCursor!)}`
      : `${verdictOf(exited)} (exec_id ${id.slice(0, SHOWN_ID)})`
    return { result, text: lines(verdict, ...warnings.map((one) => `warning: ${one}`), streamsText(result)) }
  })

/** The request to start a command may still be on its way. */
const onceStarted = <A>(ask: Effect.Effect<A, PyroError>) =>
  ask.pipe(
    Effect.retry({
      schedule: Schedule.spaced("50 millis"),
      times: 5,
      while: ({ _tag }) => _tag === "ExecNotFound"
    }),
    Effect.ignore
  )

/**
 * Does the `listening`, and detaches the command from its caller at the client's time-out. The listening continues, and the command
 * then outlives this server.
 */
const detachingAtTimeOut = <A>(
  { payload: { workspace }, pyro, timedOut }: Request<ExecPayload>,
  execId: string,
  listening: Effect.Effect<A, PyroError>
) => {
  const payload = payloadOf("workspace.exec", { workspace, execId, detach: true })
  const detach = onceStarted(
    Effect.suspend(() => forEachEvent(pyro.workspace.exec, payload, undefined, () => Effect.void))
  )
  return Effect.raceFirst(listening, timedOut.pipe(Effect.andThen(detach), Effect.andThen(Effect.never)))
}

/** A call that ends early, because its client cancelled it or left, ends its command. */
const endStarted = ({ payload: { workspace }, pyro }: Request<ExecPayload>, execId: string) =>
  onceStarted(pyro.workspace.cancel({ workspace, execId }))

export const execTool: Tool<"workspace.exec", ExecReport> = { result: ExecReport, perform, outlivesTimeOut: true }
