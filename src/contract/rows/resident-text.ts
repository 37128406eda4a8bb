import type { ShellScreen } from "./shell-fields.ts"
import type { ServiceStartPayload } from "./workspace-service.ts"
import type { ShellReadPayload } from "./workspace-shell-io.ts"

/** State of a shell's program, as the end of a sentence about the program. */
export const shellStateText = ({ outcome, status }: Pick<ShellScreen, "outcome" | "status">): string => {
  switch (outcome) {
    case "running":
      return "runs"
    case "exited":
      return `has ended, exit ${status ?? 0}`
    case "lost":
      return "is lost: the microVM ended first"
    default:
      return `has ended: ${outcome.replaceAll("_", " ")}${status === undefined ? "" : `, status ${status}`}`
  }
}

/** Why a wait of a read failed, as a sentence; undefined without a wait or after a successful one. */
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

/** Numbers of services by state, such as `2 ready, 1 failed`. */
export const servicesText = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts).map(([state, count]) => `${count} ${state}`).join(", ")

/** The check that `service start` waits for; undefined if it waits for none. */
export const waitingText = (
  { name, readyCommand, readyFile, readyHttp, readyTcp }: Pick<
    ServiceStartPayload,
    "name" | "readyCommand" | "readyFile" | "readyHttp" | "readyTcp"
  >
): string | undefined => {
  const check = readyTcp === undefined ? readyHttp ?? readyFile ?? readyCommand : `port ${readyTcp}`
  return check === undefined ? undefined : `waiting for ${name} to be ready (${check.split("\n", 1)[0]!.slice(0, 100)})`
}
