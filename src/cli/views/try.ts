import { Effect } from "effect"
import type { CandidateResult, TestCounts } from "../../contract/rows/workspace-try-fields.ts"
import { count } from "../../contract/text/count.ts"
import { duration, note, print, size } from "../output/print.ts"
import { type Cell, type Colour, painted, printTable } from "../output/table.ts"
import type { Views } from "./view.ts"

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
const reasonOf = ({ name, outcome, reason, tail }: CandidateResult) => {
  if (outcome === "passed" || outcome === "stopped" || outcome === "not_started") return ""
  const lines = (reason === undefined ? [] : reason.split(/\r?\n/)).concat(
    tail.trimEnd().split(/\r?\n/).slice(-SHOWN_LINES)
  )
    .filter((line) => line.trim() !== "")
  return lines.length === 0 ? "" : `\n${name}:\n${lines.map((line) => `  ${line}\n`).join("")}`
}

export const tryViews = {
  "workspace.try": {
    event: (event) => {
      if (event._tag === "Started") return note(`${event.candidate} begins\n`)
      if (event._tag === "Done") return Effect.void
      const { name, outcome } = event.result
      return note(`${name} ${OUTCOMES[outcome][0]}\n`)
    },
    result: ({ best, candidates, kept, undo, workspace }, { keep }) => {
      const mark = ({ name }: CandidateResult) => name === kept ? "kept" : name === best ? "best" : ""
      const called = workspace.name ?? workspace.id
      return printTable([
        ["CANDIDATE", "OUTCOME", "TIME", "TESTS", "CHANGES", "MEMORY", ""],
        ...candidates.map((one) => rowOf(one, mark(one)))
      ], { head: true, flexible: [0, 3] }).pipe(
        Effect.andThen(print(candidates.map(reasonOf).join(""))),
        Effect.andThen(
          kept !== undefined
            ? note(`${called} is ${kept} now${undo === undefined ? "" : `. Undo: pyro rewind ${called}`}\n`)
            : note(`${called} is as it was${keep === "none" ? "" : ": no candidate was kept"}\n`)
        )
      )
    }
  }
} satisfies Views
