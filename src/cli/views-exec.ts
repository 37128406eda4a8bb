import { Effect } from "effect"
import type { PayloadOf, ResultOf } from "../contract/rows/operations.ts"
import { typed } from "../contract/text/printable.ts"
import { OutputOptions } from "./output-options.ts"
import { note, print, showOutput, warn } from "./print.ts"
import type { View } from "./view.ts"

const end = (result: ResultOf<"workspace.exec">, { detach, workspace }: PayloadOf<"workspace.exec">) => {
  switch (result.outcome) {
    case "exited":
      return result.droppedBytes === undefined
        ? Effect.void
        : note(`pyro: ${result.droppedBytes} bytes of the output are not in the log\n`)
    case "running":
      return detach
        ? print(`${result.execId}\n`)
        : warn(
          `pyro: still running; come back with: pyro exec ${
            typed([workspace, "--exec-id", result.execId, "--cursor", String(result.nextCursor)])
          }\n`
        )
    case "signaled":
      return note(`pyro: signal ${result.signal ?? (result.status ?? 128) - 128} ended the command\n`)
    case "timed_out":
      return note("pyro: the command ran past its timeout and was ended (--timeout-seconds)\n")
    case "out_of_memory":
      return note("pyro: the guest ran out of memory and killed the command\n")
  }
}

/** The command's output as it comes and how it ended, or its id alone. */
export const execView: View<"workspace.exec"> = {
  event: (event) =>
    Effect.flatMap(OutputOptions, ({ switches }) => switches.has("id-only") ? Effect.void : showOutput(event)),
  result: (result, payload) =>
    Effect.flatMap(
      OutputOptions,
      ({ switches }) => switches.has("id-only") ? print(`${result.execId}\n`) : end(result, payload)
    )
}
