import type { ShellScreen } from "./shell-fields.ts"

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
