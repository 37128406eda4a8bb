import { Schema } from "effect"
import { between, defaulted, described, flag, list, must, optional, string, text, wordBounds } from "../text/fields.ts"
import { snakeStruct, snakeTagged } from "../text/snake.ts"
import { ofFinding, ofWaking } from "./call-errors.ts"
import { Gathered, Notice, warnings } from "./notice.ts"
import { type Folding, lazy, streaming } from "./operation.ts"
import { at, waits } from "./states.ts"
import { workspaceField } from "./workspace-field.ts"
import { unchanged, WorkspaceInfo } from "./workspace-info.ts"
import { patchLimits } from "./workspace-patch.ts"
import { Candidate, CandidateResult, MOST_CANDIDATES } from "./workspace-try-fields.ts"

const MAX_TIMEOUT_SECONDS = 604_800

export const TryPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    candidates: Schema.Array(Candidate()).pipe(
      must(
        ({ length }) => length >= 1 && length <= MOST_CANDIDATES,
        `must be 1 to ${MOST_CANDIDATES} candidates`
      ),
      must(
        (all) =>
          all.reduce((sum, { command = "", patch = "" }) => sum + command.length + patch.length, 0) <=
            patchLimits.bytes,
        `must be at most ${patchLimits.bytes} bytes together`
      ),
      described(`Ways to try, 1 to ${MOST_CANDIDATES}: each a patch or a command`)
    ),
    check: defaulted(
      list(text("Program or one argument"), wordBounds).annotate({
        description:
          "Command that judges each candidate. Default: the candidate's own command does, or the patch that fits"
      }),
      () => []
    ),
    checkScript: optional(text("The check as a shell command or script (bash)")),
    keep: defaulted(
      text(
        "Candidate that becomes the workspace, if it passes: `best`, `first-pass`, or a candidate's name. `none` keeps the workspace as it is. " +
          "`ask`: pyro asks on the terminal after the results"
      ),
      () => "none"
    ),
    stopAtFirstPass: flag("End the other candidates when one passes"),
    maxParallel: optional(
      between({
        from: 1,
        to: MOST_CANDIDATES,
        description:
          "Most candidates at a time. Default: as many as the host has cores for. Those that no memory is left for wait"
      })
    ),
    timeoutSeconds: optional(
      Schema.Number.pipe(
        must(
          (seconds) => seconds > 0 && seconds <= MAX_TIMEOUT_SECONDS,
          `must be more than 0 and at most ${MAX_TIMEOUT_SECONDS} seconds`
        ),
        described(
          "Seconds until a candidate, with its check, is ended. More than 0, at most 604800. Default: no limit"
        )
      )
    )
  })
)
export type TryPayload = ReturnType<typeof TryPayload>["Type"]

const results = () =>
  Schema.Array(CandidateResult()).annotate({
    description: "What became of each candidate, in the order of the request"
  })

const fields = () => ({
  candidates: results(),
  best: optional(
    string(
      "The best candidate: one that passed, then the one with most tests passed and fewest failed, then the one with the smallest diff, " +
        "then the first. Absent if none ran to its end"
    )
  ),
  bestReason: optional(
    string(
      "The measure that decided for the best candidate, and the values of it and of the next best. Absent without `best`"
    )
  ),
  kept: optional(string("The candidate that became the workspace. Absent if none did")),
  keepable: optional(
    Schema.Array(Schema.String).annotate({
      description:
        "Candidates whose files stay after the try: `workspace.keep` makes one of them the workspace. Absent if none stay"
    })
  ),
  keepableUntil: optional(
    string("Time until which they stay, ISO 8601. The next try of the workspace and a reset remove them earlier")
  ),
  undo: optional(
    string(
      "The point of the workspace before the keep: a rewind to it undoes the keep. Absent if none was kept, or the workspace has no points"
    )
  ),
  workspace: WorkspaceInfo().annotate({ description: "The workspace" })
})

export const TryEvent = lazy(() =>
  Schema.Union([
    Notice(),
    snakeTagged("Started", { candidate: string("Name of a candidate that begins") }),
    snakeTagged("Tried", { result: CandidateResult().annotate({ description: "What became of a candidate" }) }),
    snakeTagged("Done", fields())
  ])
)
export type TryEvent = ReturnType<typeof TryEvent>["Type"]

const TryResult = lazy(() => snakeStruct({ ...fields(), warnings: warnings() }))
export type TryResult = ReturnType<typeof TryResult>["Type"]

const fold = (): Folding<TryEvent, TryResult> => {
  const messages = new Gathered()
  let done: Extract<TryEvent, { readonly _tag: "Done" }> | undefined
  return {
    add: (event) => {
      if (event._tag === "Done") done = event
      else if (event._tag === "Notice") messages.add(event)
    },
    result: () => {
      if (done === undefined) return undefined
      const { _tag, ...rest } = done
      return { ...rest, warnings: messages.all }
    }
  }
}

export const workspaceTry = streaming({
  name: "workspace.try",
  summary: "Try several changes at once, each in a fork, and keep one",
  description:
    "Forks the running workspace once for each candidate, with its processes, services and caches. Each fork gets its patch or runs its command, " +
    "and then the check. The table shows what became of each. With --keep, a candidate that passed becomes the workspace: id, name, ports and " +
    "grants stay, and what started in the workspace since ends, as with reset. The keep joins the history: rewind undoes it. The files of the others stay for a day: `pyro keep` makes one of them the workspace. Without --keep, and after an interruption or a failure, the workspace " +
    "is as it was. pyro exits with 1 if no candidate passed, or if none was kept with --keep.",
  cli: {
    path: ["workspace", "try"],
    args: ["workspace"],
    rest: "check",
    filled: ["candidates"],
    extras: {
      candidates: {
        _tag: "candidates",
        from: "place",
        description:
          "Directory whose *.patch and *.diff files are patches and whose *.sh files are scripts; or a file of JSON: a list of objects with " +
          "`name`, and `patch` or `command`, or one of them in each line"
      },
      patch: { _tag: "candidates", from: "patch", description: "File of the host with a patch" },
      command: {
        _tag: "candidates",
        from: "command",
        description: "Shell command or script (bash) in /workspace, called by its words"
      }
    },
    examples: [
      "pyro try fix --patch one.patch --patch two.patch -- npm test",
      "pyro try fix --candidates fixes --keep best -- python3 -m unittest",
      "pyro try fix --command 'npm update' --command 'npm audit fix' --stop-at-first-pass --keep first-pass -- npm test"
    ]
  },
  mcp: {
    tool: "workspace_try",
    profiles: ["full"],
    title: "Try several changes",
    description:
      "Try up to 16 patches or commands at once, each in a fork of the workspace, run the check in each, and keep one",
    arguments: {
      workspace: {},
      candidates: { description: "Each with a name, and a patch or a command" },
      check_script: { name: "check", description: "Shell command that judges each" },
      keep: { description: "best, first-pass, a candidate's name, or none; workspace_keep keeps one later [none]" },
      stop_at_first_pass: { description: "" },
      timeout_seconds: { description: "End a candidate after this time [never]" }
    },
    omits: [...unchanged, "detail", "labels", "environment", "expires_at"]
  },
  states: at(["running"], waits),
  needsRoom: true,
  errors: [...ofWaking, ...ofFinding],
  annotations: { readOnly: false, destructive: true, idempotent: false, openWorld: false },
  endsWithConnection: true,
  payload: TryPayload,
  event: TryEvent,
  result: TryResult,
  exitStatus: ({ candidates, kept }, { keep }) =>
    (keep === "none" ? candidates.some(({ outcome }) => outcome === "passed") : kept !== undefined) ? 0 : 1,
  fold
})
