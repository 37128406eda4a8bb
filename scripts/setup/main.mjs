import process from "node:process"
import { forwardSignals } from "./child.mjs"
import { onPinnedNode } from "./pinned-node.mjs"
import { say, SetupFailed } from "./report.mjs"

/**
 * Runs a script's `work` on the pinned Node, or with `anyNode` on the Node that runs this. Prints a problem that a person can fix without
 * a stack. `work` resolves to an exit status.
 */
export const main = (work, { anyNode = false } = {}) => {
  forwardSignals()
  const running = anyNode ? work() : onPinnedNode(work)
  running.then(
    (status) => {
      process.exitCode = status ?? 0
    },
    (failure) => {
      say(failure instanceof SetupFailed ? `pyro: ${failure.message}` : String(failure?.stack ?? failure))
      process.exitCode = failure instanceof SetupFailed ? failure.exitCode : 1
    }
  )
}
