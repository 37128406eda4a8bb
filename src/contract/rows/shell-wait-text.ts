import type { ShellScreen } from "./shell-fields.ts"
import type { ShellReadPayload } from "./workspace-shell-read.ts"

/** What a read waited for and did not get, as a sentence; undefined without a wait or after a successful one. */
export const shellWaitText = (
  { waited }: Pick<ShellScreen, "waited">,
  { waitFor, waitForIdleMs, waitSeconds }: Pick<ShellReadPayload, "waitFor" | "waitForIdleMs" | "waitSeconds">
): string | undefined => {
  const missing = waitFor === undefined ? undefined : `${JSON.stringify(waitFor)} did not come`
  switch (waited) {
    case "timed_out":
      return `${missing ?? `the output did not pause for ${waitForIdleMs ?? 0} ms`} within ${waitSeconds} s`
    case "ended":
      return missing === undefined ? undefined : `${missing} before the end of the program`
    default:
      return undefined
  }
}
