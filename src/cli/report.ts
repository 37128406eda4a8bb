import { Cause, Option, Schema } from "effect"
import { PyroError } from "../contract/errors.ts"
import { type ExitFamily, exitStatus, ownFailure } from "../contract/exit-status.ts"
import { printable } from "../contract/printable.ts"
import { OutputClosed } from "./terminal.ts"

/** What a failure comes to: a status to leave with, and the same told to people and to programs. */
export interface Verdict {
  readonly status: number
  /** Empty when there is nothing to say. */
  readonly text: string
  readonly json: { readonly error: Readonly<Record<string, unknown>> }
}

/** Status of a program that writes to a pipe nobody reads: 128 + SIGPIPE. */
const BROKEN_PIPE = 141

/** What was called. */
export interface Called {
  /** As far as it was understood, such as `pyro run`. */
  readonly command: string
  readonly family: ExitFamily
  /** What was likely meant by the environment, where there is none of that name. */
  readonly meant: (environment: string) => string | undefined
}

export const verdictOf = (cause: Cause.Cause<PyroError | OutputClosed>, called: Called): Verdict => {
  const { family } = called
  const failure = Cause.failureOption(cause)
  if (Option.isNone(failure)) return internal(cause, family)
  if (failure.value instanceof OutputClosed) return unwritten(failure.value, family)
  const error = failure.value
  const { _tag, ...fields } = Schema.encodeSync(PyroError)(error)
  const hint = hintFor(error, called)
  return {
    status: exitStatus(error, family),
    text: `pyro: ${printable(error.message)}${hint === undefined ? "" : `\n${printable(hint)}`}\n`,
    json: { error: { code: error.code, message: error.message, ...fields } }
  }
}

const hintFor = (error: PyroError, { command, meant }: Called): string | undefined => {
  switch (error._tag) {
    case "InvalidRequest":
      return `see: ${command} --help`
    case "EnvironmentUnknown":
      return meant(error.environment)
    default:
      return undefined
  }
}

const unwritten = ({ code }: OutputClosed, family: ExitFamily): Verdict => {
  const isUnread = code === "EPIPE"
  const message = isUnread ? "nobody reads stdout any more" : `cannot write to stdout: ${code}`
  return {
    // Nobody wants the rest of a listing; a guest's command was cut short.
    status: isUnread ? (family === "guest" ? BROKEN_PIPE : 0) : ownFailure(family),
    text: isUnread ? "" : `pyro: ${message}\n`,
    json: { error: { code: "output_closed", message } }
  }
}

export const interruptedVerdict = (signal: string, status: number): Verdict => ({
  status,
  text: "",
  json: { error: { code: "interrupted", message: `${signal} ended pyro, and with it what it ran`, signal } }
})

const internal = (cause: Cause.Cause<unknown>, family: ExitFamily): Verdict => ({
  status: ownFailure(family),
  text: `pyro: a defect of pyro itself, please report it:\n${printable(Cause.pretty(cause))}\n`,
  json: { error: { code: "internal_error", message: `a defect of pyro itself: ${firstLine(Cause.pretty(cause))}` } }
})

const firstLine = (text: string) => text.split("\n", 1)[0] ?? ""
