import { Effect, Stream } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { ExecPayload } from "../../contract/rows/workspace-exec.ts"
import { MAX_TEXT_CHARACTERS } from "../bounded.ts"
import { firstOf, type OutputPiece, textOf } from "../output.ts"
import type { Done, Request } from "../request.ts"
import { asSeen } from "../terminal.ts"
import { lines } from "../words.ts"
import { type ExecTold, type Exited, stateOf, streamsText, verdictOf } from "./command-end.ts"

interface Page {
  readonly id: string
  readonly from: number
  readonly to: number
  /** The call that goes on at a cursor. */
  readonly again: (cursor: string) => string
}

/** What was left out of a command's output, from its beginning on, as much as fits. */
export const pageOfOutput = (
  { own, payload, pyro }: Request<ExecPayload>,
  { again, from, id, to }: Page
): Effect.Effect<Done<ExecTold>, PyroError> =>
  Effect.gen(function*() {
    /** Only listens: neither starts the command nor ends it. */
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
    // Codes that are left out may stand behind all that is shown. A page that nothing of fits on would come again for ever.
    const end = isWhole ? read : page.at(-1)?.next ?? read
    const isLast = end >= to
    let exited: Exited | undefined
    yield* Stream.runForEach(listen(to), (event) =>
      Effect.sync(() => {
        if (event._tag === "Exited") exited = event
      }))
    const nextCursor = isLast ? null : `${end}-${to}`
    const result: ExecTold = {
      ...stateOf(exited),
      stdout: textOf(page, "stdout"),
      stderr: textOf(page, "stderr"),
      truncated: !isLast,
      notices: [],
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
