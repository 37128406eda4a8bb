import { Cause, Option, Schema } from "effect"
import { PyroError } from "../../contract/errors/errors.ts"
import { type ExitFamily, exitStatus, ownFailure } from "../../contract/errors/exit-status.ts"
import { typedMessage } from "../../contract/rows/next-steps.ts"
import type { CliSurface } from "../../contract/rows/operation.ts"
import { printable } from "../../contract/text/printable.ts"
import { OutputClosed } from "../terminal/Terminal.ts"

/** Maximum characters of a message for people. Another machine, or a program, may say any number. */
const MESSAGE_CHARACTERS = 16_384

/** The message for people. The JSON has all of it. */
const shown = (message: string) =>
  message.length <= MESSAGE_CHARACTERS
    ? printable(message)
    : `${printable(message.slice(0, MESSAGE_CHARACTERS))}\n... (${message.length - MESSAGE_CHARACTERS} more characters)`

/** Report of a failure: exit status, text for people, JSON for programs. */
export interface FailureReport {
  readonly status: number
  /** Empty if there is nothing to print. */
  readonly text: string
  readonly json: { readonly error: Readonly<Record<string, unknown>> }
}

/** Exit status of a program that writes to a closed pipe: 128 + SIGPIPE. */
const BROKEN_PIPE = 141

/** The command line of a failure. */
interface Invocation {
  /** Its command, such as `pyro run`. */
  readonly command: string
  readonly family: ExitFamily
  /** Its options. Absent for the commands that are no operation. */
  readonly cli?: CliSurface
  /** The context that its option names: a step works on the same machine. */
  readonly context?: string | undefined
  /** Hint for an error about a name. The word may not have been meant as a name. */
  readonly hint: (error: PyroError) => string | undefined
}

export const reportFailure = (cause: Cause.Cause<PyroError | OutputClosed>, invocation: Invocation): FailureReport => {
  const { family } = invocation
  const failure = Cause.findErrorOption(cause)
  if (Option.isNone(failure)) return internal(cause, family)
  if (failure.value instanceof OutputClosed) return unwritten(failure.value, family)
  const error = failure.value
  const { _tag, ...fields } = Schema.encodeSync(PyroError)(error)
  const hint = hintFor(error, invocation)
  const message = typedMessage(error, invocation.cli, invocation.context)
  return {
    status: exitStatus(error, family),
    text: `pyro: ${shown(message)}${hint === undefined ? "" : `\n${printable(hint)}`}\n`,
    json: { error: { code: error.code, message, ...fields } }
  }
}

const hintFor = (error: PyroError, { command, hint }: Invocation): string | undefined =>
  error._tag === "InvalidRequest" ? `see: ${command} --help` : hint(error)

const unwritten = ({ code }: OutputClosed, family: ExitFamily): FailureReport => {
  const isUnread = code === "EPIPE"
  const message = isUnread ? "stdout is closed" : `cannot write to stdout: ${code}`
  return {
    // The reader of a listing has read enough. A guest's command was ended early.
    status: isUnread ? (family === "guest" ? BROKEN_PIPE : 0) : ownFailure(family),
    text: isUnread ? "" : `pyro: ${message}\n`,
    json: { error: { code: "output_closed", message } }
  }
}

export const reportInterruption = (signal: string, status: number): FailureReport => ({
  status,
  text: "",
  json: { error: { code: "interrupted", message: `${signal} ended pyro and its command`, signal } }
})

const internal = (cause: Cause.Cause<unknown>, family: ExitFamily): FailureReport => ({
  status: ownFailure(family),
  text: `pyro: a defect of pyro itself, please report it:\n${shown(Cause.pretty(cause))}\n`,
  json: { error: { code: "internal_error", message: `a defect of pyro itself: ${firstLine(Cause.pretty(cause))}` } }
})

const firstLine = (text: string) => text.split("\n", 1)[0] ?? ""
