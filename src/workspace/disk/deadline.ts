import { Duration, Effect } from "effect"
import { VmFailed } from "../../contract/errors/errors.ts"

/**
 * Time for the work of an inspector on a disk. The agent answers probes while it works, and an agent that a guest has taken over may work
 * for ever, as may the kernel with a file that is 16 TiB long.
 */
const deadline = Duration.minutes(10)

/** Ends the work of an inspector on a disk at the deadline. */
export const withinDeadline = Effect.timeoutOrElse({
  duration: deadline,
  orElse: () =>
    Effect.fail(
      new VmFailed({
        step: "inspect",
        detail: `the microVM that read the disk did not finish within ${
          Duration.toMinutes(deadline)
        } minutes; the workspace is unchanged`,
        consoleTail: ""
      })
    )
})
