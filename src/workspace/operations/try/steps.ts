import { Effect, Stream } from "effect"
import { ChannelFailed } from "../../../contract/errors/errors.ts"
import { streamFromPull } from "../../../contract/rows/event-batches.ts"
import { payloadOf } from "../../../contract/rows/payload-of.ts"
import type { ExecEvent } from "../../../contract/rows/workspace-exec.ts"
import type { CandidateResult } from "../../../contract/rows/workspace-try-fields.ts"
import type { TryPayload } from "../../../contract/rows/workspace-try.ts"
import { readPushed } from "../../../lib/seeding/model/pushed.ts"
import { TestReader } from "../../../lib/test-counts/counts.ts"
import { monotonicMs } from "../../../system/waits/time.ts"
import { diffWorkspace } from "../../content/diff/diff.ts"
import { applyPatchIn } from "../../content/patch/apply.ts"
import type { Lifecycle } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import { residentsOf } from "../../residents/open/entry-residents.ts"
import { execWorks } from "../exec.ts"
import { type AtRunning, inRunning } from "../work.ts"
import type { Named } from "./request.ts"
import { Tail } from "./tail.ts"

/** Verdict of a step about its candidate. */
type Judged = Pick<CandidateResult, "outcome" | "reason" | "status" | "tail" | "tests" | "truncated">

const silent = { tail: "", truncated: false } as const
const passed: Judged = { outcome: "passed", ...silent }

type Program = { readonly script: string } | { readonly command: ReadonlyArray<string> }

const outcomeOf = (
  { outcome, status }: Extract<ExecEvent, { readonly _tag: "Exited" }>
): Pick<Judged, "outcome" | "reason" | "status"> => {
  if (outcome === "timed_out") return { outcome: "timed_out", status }
  if (outcome === "out_of_memory") return { outcome: "failed", status, reason: "the guest had no memory left for it" }
  return { outcome: status === 0 ? "passed" : "failed", status }
}

/** Runs a program in the candidate to its end. An interruption ends the program. */
const run = (lifecycle: Lifecycle, entry: Entry, program: Program, timeoutSeconds: number | undefined) =>
  Effect.scoped(Effect.gen(function*() {
    const residents = yield* residentsOf(entry, "workspace.exec")
    const payload = payloadOf("workspace.exec", {
      workspace: entry.id,
      ...program,
      ...(timeoutSeconds === undefined ? {} : { timeoutSeconds })
    })
    const at = { ...residents, lifecycle, registry: lifecycle.registry, entry }
    const pull = yield* execWorks["workspace.exec"].pulls(at, payload, { endsWithCaller: true })
    const tail = new Tail()
    const tests = new TestReader()
    let exited: Extract<ExecEvent, { readonly _tag: "Exited" }> | undefined
    yield* Stream.runForEach(streamFromPull(Effect.succeed(pull)), (event) =>
      Effect.sync(() => {
        if (event._tag === "Exited") exited = event
        if (event._tag !== "Output") return
        tail.add(event.bytes)
        tests.add(event.bytes)
      }))
    if (exited === undefined) return yield* new ChannelFailed({ detail: "the command ended without its status" })
    const { counts } = tests
    const judged: Judged = { ...outcomeOf(exited), ...tail.shown, ...(counts === undefined ? {} : { tests: counts }) }
    return judged
  }))

/** Applies the candidate's patch, or runs its command. */
const change = (
  lifecycle: Lifecycle,
  entry: Entry,
  { command, patch = "" }: Named,
  timeoutSeconds: number | undefined
) =>
  command === undefined
    ? inRunning(lifecycle, entry, "workspace.patch.apply", { writes: false }, ({ generation }) =>
      Effect.flatMap(
        readPushed(entry.folder.directory),
        ({ rules }) => applyPatchIn(generation.channel, { check: false, patch }, { rules })
      )).pipe(
        Effect.as(passed),
        Effect.catchTag("PatchRejected", ({ fact }) =>
          Effect.succeed<Judged>({ outcome: "patch_refused", reason: fact, ...silent }))
      )
    : run(lifecycle, entry, { script: command }, timeoutSeconds)

/** Maximum time of the guest's comparison of its files. */
const DIFF_TIMEOUT = "30 seconds"

const statOf = ({ entry, generation }: AtRunning) =>
  Effect.gen(function*() {
    const pushed = yield* readPushed(entry.folder.directory)
    const { summary } = yield* diffWorkspace(
      generation.channel,
      payloadOf("workspace.diff", { workspace: entry.id, stat: true, maxBytes: 0 }),
      { pushed }
    )
    return {
      diff: { files: summary.files, additions: summary.additions ?? 0, deletions: summary.deletions ?? 0 }
    }
  })

/** Number of changes of a candidate, and its memory. The judgement needs neither. */
const measured = (lifecycle: Lifecycle, entry: Entry) =>
  inRunning(lifecycle, entry, "workspace.diff", { writes: false }, (at) =>
    Effect.gen(function*() {
      const stat = yield* statOf(at).pipe(
        Effect.timeoutOrElse({ duration: DIFF_TIMEOUT, orElse: () => Effect.succeed({}) }),
        Effect.orElseSucceed(() => ({}))
      )
      return { ...stat, memoryBytes: yield* at.generation.guest.vm.ownMemoryBytes }
    })).pipe(Effect.orElseSucceed(() => ({})))

const checkOf = ({ check, checkScript }: TryPayload): Program | undefined =>
  checkScript !== undefined ? { script: checkScript } : check.length > 0 ? { command: check } : undefined

/** Least time of a check whose candidate used up the timeout, in s: the guest then ends it at once. */
const LEAST_SECONDS = 0.001

/** Does the candidate's change in its fork, and judges it by the check. */
export const judge = (
  lifecycle: Lifecycle,
  entry: Entry,
  candidate: Named,
  payload: TryPayload
) =>
  Effect.gen(function*() {
    const { timeoutSeconds } = payload
    const startMs = yield* monotonicMs
    const left = Effect.map(monotonicMs, (ms) =>
      timeoutSeconds === undefined ? undefined : Math.max(LEAST_SECONDS, timeoutSeconds - (ms - startMs) / 1000))
    const changed = yield* change(lifecycle, entry, candidate, timeoutSeconds)
    const check = checkOf(payload)
    const isDecided = changed.outcome !== "passed" || check === undefined
    const judged = isDecided ? changed : yield* run(lifecycle, entry, check, yield* left)
    const durationMs = (yield* monotonicMs) - startMs
    const result: CandidateResult = {
      name: candidate.name,
      step: isDecided ? "candidate" : "check",
      durationMs,
      ...judged,
      ...(yield* measured(lifecycle, entry))
    }
    return result
  })
