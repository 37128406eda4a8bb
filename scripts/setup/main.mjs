import process from "node:process"
import { forwardSignals } from "./child.mjs"
import { say, SetupFailed } from "./report.mjs"

/** Runs a script's `work`. Prints a problem that a person can fix without a stack. `work` resolves to an exit status. */
export const main = (work) => {
  forwardSignals()
  work().then(
    (status) => {
      process.exitCode = status ?? 0
    },
    (failure) => {
      say(failure instanceof SetupFailed ? `pyro: ${failure.message}` : String(failure?.stack ?? failure))
      process.exitCode = failure instanceof SetupFailed ? failure.exitCode : 1
    }
  )
}
