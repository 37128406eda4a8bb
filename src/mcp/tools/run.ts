import { Effect, Schema, Stream } from "effect"
import { ChannelFailed } from "../../contract/errors/errors.ts"
import { Outcome } from "../../contract/rows/command.ts"
import { lazy } from "../../contract/rows/operation.ts"
import type { RunEvent, RunPayload } from "../../contract/rows/run.ts"
import { snakeStruct } from "../../contract/text/snake.ts"
import { keepOutput } from "../output.ts"
import type { Request, Tool } from "../request.ts"
import { asSeen } from "../terminal.ts"
import { lines, noticeText } from "../words.ts"
import { streamsText, verdictOf } from "./commands.ts"
import { inputOf } from "./exec.ts"

/** Result of `vm_run`. */
const RunReport = lazy(() =>
  snakeStruct({
    outcome: Outcome(),
    exitCode: Schema.Int,
    durationMs: Schema.Number,
    stdout: Schema.String,
    stderr: Schema.String,
    truncated: Schema.Boolean,
    warnings: Schema.Array(Schema.String)
  })
)
type RunReport = ReturnType<typeof RunReport>["Type"]

const perform = ({ own, payload, pyro, report, told, underWay }: Request<RunPayload>) =>
  Effect.gen(function*() {
    const kept = keepOutput(0)
    const warnings: Array<string> = []
    const seen = own["raw"] === true ? undefined : asSeen(kept.add)
    let printed = 0
    let exited: Extract<RunEvent, { readonly _tag: "Exited" }> | undefined
    yield* Stream.runForEach(pyro.run({ ...payload, maxBytes: 0 }, inputOf(own["stdin"])), (event) =>
      Effect.sync(() => {
        switch (event._tag) {
          case "Started":
            underWay()
            return report("running")
          case "Output":
            printed += event.bytes.length
            return (seen?.push ?? kept.add)({ from: event.from, bytes: event.bytes, next: printed })
          case "Notice":
            if (event.level === "warning") warnings.push(told(event))
            return report(noticeText({ ...event, message: told(event) }))
          case "Exited":
            exited = event
        }
      }))
    if (exited === undefined) {
      return yield* new ChannelFailed({ detail: "the stream of events ended without its last" })
    }
    seen?.end(false)
    const { omitted, stderr, stdout } = kept.shown(() => "the VM is gone; print less, or use a workspace")
    const { durations: { commandMs }, outcome, signal, status } = exited
    const result: RunReport = {
      outcome,
      exitCode: status,
      durationMs: commandMs,
      stdout,
      stderr,
      truncated: omitted !== undefined,
      warnings
    }
    const verdict = verdictOf({ outcome, status, durationMs: commandMs, ...(signal === undefined ? {} : { signal }) })
    return { result, text: lines(verdict, ...warnings.map((one) => `warning: ${one}`), streamsText(result)) }
  })

export const runTool: Tool<"run", RunReport> = {
  result: RunReport,
  continues: () => "The first use of an environment builds it, which takes minutes",
  perform
}
