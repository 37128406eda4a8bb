import { printable } from "../../contract/text/printable.ts"
import type { Ended } from "./process.ts"

/** Maximum characters of what another program has said. */
const QUOTED_CHARACTERS = 400

/** The last lines of what another program has said, on one line. */
export const quoted = (said: string): string =>
  printable(said.trim().split(/\r?\n/).slice(-3).map((line) => line.trim()).filter((line) => line !== "").join("; "))
    .slice(-QUOTED_CHARACTERS)

/** Status of ssh if ssh itself has failed. */
const OWN = 255

/** What an end before the greeting means. `command`: how pyro is started there. */
export const meaningOf = ({ error, signal, status }: Ended, stderr: string, command: string): string => {
  const said = quoted(stderr)
  const more = said === "" ? "" : `: ${said}`
  if (error !== undefined) {
    return error.code === "ENOENT"
      ? "this computer has no ssh; install OpenSSH's client"
      : `ssh cannot be started: ${error.message}`
  }
  if (status === OWN) return said === "" ? "ssh cannot connect, and says no reason" : `ssh cannot connect: ${said}`
  if (status === 127 || status === 126) {
    return `its shell finds no program \`${command}\`${more}. Install pyro there (docs/install.md), or add the context again, with --replace and --command`
  }
  return status === undefined
    ? `ssh was ended by ${signal ?? "a signal"}`
    : `\`${command} serve --stdio\` ended with status ${status}${more}`
}

/** Whether ssh could not connect without a question to the person: for a passphrase, a password, or a new host's key. */
export const wantsPerson = ({ status }: Ended, stderr: string): boolean =>
  status === OWN && /permission denied|host key verification failed/i.test(stderr)
