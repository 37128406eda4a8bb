import { Effect } from "effect"
import { InvalidRequest, type PyroError } from "../../contract/errors/errors.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import type { WorkspaceInfo } from "../../contract/rows/workspace-info.ts"
import { workspaceKeep } from "../../contract/rows/workspace-keep.ts"
import type { CandidateResult, TestCounts } from "../../contract/rows/workspace-try-fields.ts"
import { type TryPayload, type TryResult, workspaceTry } from "../../contract/rows/workspace-try.ts"
import { count } from "../../contract/text/count.ts"
import { printable } from "../../contract/text/printable.ts"
import { firstLine } from "../output/ask.ts"
import { duration, note, print, size, warn } from "../output/print.ts"
import { printEvents, withProgress } from "../output/progress.ts"
import { type Cell, type Colour, painted, printTable } from "../output/table.ts"
import { type OutputClosed, Terminal } from "../terminal/Terminal.ts"
import type { AnyView, Views } from "./view.ts"

const OUTCOMES: Readonly<Record<CandidateResult["outcome"], readonly [text: string, colour: Colour]>> = {
  passed: ["passed", "green"],
  failed: ["failed", "red"],
  timed_out: ["timed out", "red"],
  patch_refused: ["patch refused", "red"],
  error: ["not tried", "yellow"],
  stopped: ["stopped", "dim"],
  not_started: ["not started", "dim"]
}

const testsText = ({ failed, passed, skipped }: TestCounts) =>
  [`${passed} passed`, ...(failed > 0 ? [`${failed} failed`] : []), ...(skipped > 0 ? [`${skipped} skipped`] : [])]
    .join(
      ", "
    )

const outcomeOf = ({ outcome, status, step }: CandidateResult): Cell => {
  const [text, colour] = OUTCOMES[outcome]
  const where = step === "candidate" && outcome !== "passed" && outcome !== "patch_refused" ? " before the check" : ""
  return painted(colour, `${text}${outcome === "failed" && status !== undefined ? ` (${status})` : ""}${where}`)
}

const rowOf = (one: CandidateResult, mark: string): ReadonlyArray<Cell> => [
  one.name,
  outcomeOf(one),
  one.durationMs === 0 ? "-" : duration(one.durationMs),
  one.tests === undefined ? "-" : testsText(one.tests),
  one.diff === undefined
    ? "-"
    : `${count(one.diff.files, "file")}, +${one.diff.additions} -${one.diff.deletions}`,
  one.memoryBytes === undefined ? "-" : size(one.memoryBytes),
  mark
]

/** Lines of the output of a candidate that did not pass. The table has no room for more. */
const SHOWN_LINES = 8

/** The guest wrote these lines: the indentation keeps them apart from pyro's own. */
const reasonLines = ({ reason, tail }: CandidateResult) =>
  (reason === undefined ? [] : reason.split(/\r?\n/)).concat(tail.trimEnd().split(/\r?\n/).slice(-SHOWN_LINES))
    .filter((line) => line.trim() !== "").map((line) => `  ${line}\n`).join("")

const reasonOf = (one: CandidateResult) => {
  if (one.outcome === "passed" || one.outcome === "stopped" || one.outcome === "not_started") return ""
  const lines = reasonLines(one)
  return lines === "" ? "" : `\n${one.name}:\n${lines}`
}

const keptNote = ({ id, name = id }: WorkspaceInfo, kept: string, undo: string | undefined) =>
  note(`${name} is ${kept} now${undo === undefined ? "" : `. Undo: pyro rewind ${name}`}\n`)

/** Tries, shows the results, and asks once which candidate to keep. */
const performAsking = (pyro: PyroService, payload: TryPayload, json: boolean) =>
  Effect.gen(function*() {
    const { stderrIsTerminal, stdin, stdinIsTerminal } = yield* Terminal
    if (json || !stdinIsTerminal || !stderrIsTerminal) {
      const reason = json ? "does not go together with --json" : "needs a terminal to ask on, and there is none"
      return yield* new InvalidRequest({
        field: "keep",
        detail:
          `ask ${reason}. Give --keep best, --keep first-pass or a candidate's name, or keep one after the try: pyro keep WORKSPACE CANDIDATE`
      })
    }
    const view: AnyView = tryViews["workspace.try"] as never
    const tried = yield* printEvents(
      workspaceTry as never,
      payload,
      false,
      pyro.workspace.try({ ...payload, keep: "none" }),
      (event) => view.event!(event)
    ) as Effect.Effect<TryResult, PyroError | OutputClosed, Terminal>
    yield* view.result(tried, payload)
    const { best, candidates, keepable = [], workspace: { id, name = id } } = tried
    const status = workspaceTry.exitStatus!(tried, { ...payload, keep: "none" })
    if (keepable.length === 0) return { _tag: "Shown" as const, status }
    const shown = keepable.map((one) => one === best ? `${one} (best)` : one)
    yield* warn(`Which candidate shall ${name} become? ${shown.join(", ")} [none] `)
    const answer = (yield* firstLine(stdin)).trim()
    const kept = answer === "best" ? best : keepable.find((one) => one === answer)
    if (kept === undefined) {
      const isNone = answer === "" || answer === "none"
      const known = candidates.some((one) => one.name === answer) ? "cannot be kept" : "is no candidate"
      yield* warn(
        `${isNone ? "" : `${printable(answer)} ${known}. `}Nothing is kept. For a day: pyro keep ${name} CANDIDATE\n`
      )
      return { _tag: "Shown" as const, status: isNone ? status : 1 }
    }
    const done = yield* withProgress(
      workspaceKeep,
      { workspace: id, candidate: kept },
      pyro.workspace.keep({
        workspace: id,
        candidate: kept
      })
    )
    yield* keptNote(done.workspace, done.kept, done.undo)
    return { _tag: "Shown" as const, status: 0 }
  })

export const tryViews = {
  "workspace.try": {
    event: (event) => {
      if (event._tag === "Started") return note(`${event.candidate} begins\n`)
      if (event._tag === "Done") return Effect.void
      const { name, outcome } = event.result
      // A patch that does not fit says so at once: the person can mend it while the others run.
      return note(`${name} ${OUTCOMES[outcome][0]}\n${outcome === "patch_refused" ? reasonLines(event.result) : ""}`)
    },
    perform: (pyro, payload, json) => payload.keep === "ask" ? performAsking(pyro, payload, json) : undefined,
    result: ({ best, bestReason, candidates, keepable = [], kept, undo, workspace }, { keep }) => {
      const mark = ({ name }: CandidateResult) => name === kept ? "kept" : name === best ? "best" : ""
      const called = workspace.name ?? workspace.id
      const name = best !== undefined && keepable.includes(best) ? best : keepable[0]
      const later = kept !== undefined || name === undefined || keep === "ask"
        ? ""
        : `For a day you can keep one of them: pyro keep ${called} ${name}\n`
      return printTable([
        ["CANDIDATE", "OUTCOME", "TIME", "TESTS", "CHANGES", "MEMORY", ""],
        ...candidates.map((one) => rowOf(one, mark(one)))
      ], { head: true, flexible: [0, 3] }).pipe(
        Effect.andThen(print(bestReason === undefined ? "" : `\nThe best is ${best}: ${bestReason}\n`)),
        Effect.andThen(print(candidates.map(reasonOf).join(""))),
        Effect.andThen(
          kept !== undefined
            ? keptNote(workspace, kept, undo)
            : note(
              `${called} is as it was${keep === "none" || keep === "ask" ? "" : ": no candidate was kept"}\n${later}`
            )
        )
      )
    }
  },
  "workspace.keep": { result: ({ kept, undo, workspace }) => keptNote(workspace, kept, undo) }
} satisfies Views
