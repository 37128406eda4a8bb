import { Schema } from "effect"
import { boolean, described, integer, matching, milliseconds, must, optional, string, text } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { lazy } from "./operation.ts"
import { patchLimits } from "./workspace-patch.ts"

/** Most candidates of one try. */
export const MOST_CANDIDATES = 16

/** Values of `keep` that are no names of candidates. */
export const KEEP_WORDS = ["none", "best", "first-pass", "ask"] as const

/** A script longer than this is a file of a patch. */
const MAX_SCRIPT_CHARACTERS = 65_536

const CANDIDATE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/

const CandidateName = lazy(() =>
  Schema.String.pipe(
    matching(CANDIDATE_NAME, "must be 1 to 63 letters, digits, '.', '_' and '-'"),
    must((name) => !(KEEP_WORDS as ReadonlyArray<string>).includes(name), `must not be ${KEEP_WORDS.join(", ")}`),
    described("Name of the candidate. Default: candidate-1 and so on")
  )
)

/** A way to try: a patch, or a command. */
export const Candidate = lazy(() =>
  Schema.Struct({
    name: optional(CandidateName()),
    patch: optional(
      Schema.String.pipe(
        must((patch) => patch.length <= patchLimits.bytes, `must be at most ${patchLimits.bytes} bytes`),
        described("Patch: a unified diff, or *** Begin Patch. Paths are relative to /workspace")
      )
    ),
    command: optional(
      text("").pipe(
        must(
          (script) => script !== "" && script.length <= MAX_SCRIPT_CHARACTERS,
          `must be 1 to ${MAX_SCRIPT_CHARACTERS} characters`
        ),
        described("Shell command or script (bash), which runs in /workspace")
      )
    )
  })
)
export type Candidate = ReturnType<typeof Candidate>["Type"]

const Outcomes = lazy(() =>
  Schema.Literals(["passed", "failed", "timed_out", "patch_refused", "error", "stopped", "not_started"]).annotate({
    description: "`passed`: candidate and check ended with status 0. `failed`: one of them ended in another way. " +
      "`timed_out`: one of them ran longer than the timeout. `patch_refused`: the patch does not fit. `error`: pyro could not " +
      "try it. `stopped` and `not_started`: another one passed first"
  })
)

/** Counts of a known test program's report. */
export const TestCounts = lazy(() =>
  snakeStruct({
    format: Schema.Literals(["tap", "junit", "vitest", "pytest", "unittest", "cargo", "go"]).annotate({
      description: "Format of the report"
    }),
    passed: integer("Number of tests that passed"),
    failed: integer("Number of tests that failed, or could not run"),
    skipped: integer("Number of tests that were left out")
  })
)
export type TestCounts = ReturnType<typeof TestCounts>["Type"]

const DiffStat = lazy(() =>
  snakeStruct({
    files: integer("Number of changed files since the workspace's create"),
    additions: integer("Total lines added"),
    deletions: integer("Total lines removed")
  })
)

/** A candidate by its name. */
export const candidateField = (description: string) =>
  Schema.String.pipe(
    matching(CANDIDATE_NAME, "must be 1 to 63 letters, digits, '.', '_' and '-'"),
    described(description)
  )

/** Outcome of one candidate. */
export const CandidateResult = lazy(() =>
  snakeStruct({
    name: string("Name of the candidate"),
    outcome: Outcomes(),
    step: optional(
      Schema.Literals(["candidate", "check"]).annotate({
        description: "The step that decided. Absent if neither ran"
      })
    ),
    status: optional(integer("Exit status of that step's command. Absent without one")),
    durationMs: milliseconds("Time of both steps"),
    tail: string("Last lines of the output of that step, at most 4096 bytes"),
    truncated: boolean("Whether the output has more than `tail`"),
    reason: optional(string("Why it did not pass, as one sentence. Absent if a command's end says it")),
    tests: optional(
      TestCounts().annotate({
        description:
          "Tests in the output of the check; of the candidate's command if there is no check. Absent for an unknown format"
      })
    ),
    diff: optional(DiffStat().annotate({ description: "Changes of /workspace. Absent if they are unknown" })),
    memoryBytes: optional(integer("Memory of the candidate's microVM alone after the check"))
  })
)
export type CandidateResult = ReturnType<typeof CandidateResult>["Type"]
