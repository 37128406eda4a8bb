import { Schema } from "effect"
import { Outcome } from "../../contract/rows/command.ts"
import { lazy } from "../../contract/rows/operation.ts"
import type { ExecEvent } from "../../contract/rows/workspace-exec.ts"
import { snakeStruct } from "../../contract/text/snake.ts"
import { seconds } from "../words.ts"

export type Exited = Extract<ExecEvent, { readonly _tag: "Exited" }>

/** What `workspace_exec` tells: one shape for what has ended and what still runs. */
export const ExecTold = lazy(() =>
  snakeStruct({
    state: Schema.Literals(["exited", "running"]),
    outcome: Schema.NullOr(Outcome()),
    exitCode: Schema.NullOr(Schema.Int),
    durationMs: Schema.NullOr(Schema.Number),
    stdout: Schema.String,
    stderr: Schema.String,
    truncated: Schema.Boolean,
    notices: Schema.Array(Schema.String),
    execId: Schema.String,
    nextCursor: Schema.NullOr(Schema.String)
  })
)
export type ExecTold = ReturnType<typeof ExecTold>["Type"]

/** The part of it that says how a command is. */
export const stateOf = (exited: Exited | undefined) => ({
  state: exited === undefined ? "running" as const : "exited" as const,
  outcome: exited?.outcome ?? null,
  exitCode: exited?.status ?? null,
  durationMs: exited?.durationMs ?? null
})

/** How a command ended, in a few words. */
export const verdictOf = ({ durationMs, outcome, signal, status }: Omit<Exited, "_tag">): string => {
  const after = `in ${seconds(durationMs)}`
  switch (outcome) {
    case "exited":
      return `exit ${status} ${after}`
    case "signaled":
      return `ended by signal ${signal ?? status - 128} ${after}`
    case "timed_out":
      return `killed after timeout_seconds, ${after}`
    case "out_of_memory":
      return `killed: the guest ran out of memory, ${after}`
  }
}

/** Both streams as they are, under their names where it is not clear which is which. */
export const streamsText = ({ stderr, stdout }: { readonly stdout: string; readonly stderr: string }): string =>
  stderr === "" ? stdout : stdout === "" ? `stderr:\n${stderr}` : `${stdout.replace(/\n$/, "")}\nstderr:\n${stderr}`
