import { Schema } from "effect"
import {
  between,
  defaulted,
  described,
  flag,
  integer,
  list,
  matching,
  milliseconds,
  must,
  optional,
  string,
  strings,
  text,
  wordBounds
} from "../text/fields.ts"
import { lazy } from "./operation.ts"

/** A week, in seconds. JavaScript's timers end at 24 days. */
const MAX_TIMEOUT_SECONDS = 604_800

const TimeoutSeconds = lazy(() =>
  Schema.Number.pipe(
    must(
      (seconds) => seconds > 0 && seconds <= MAX_TIMEOUT_SECONDS,
      `must be more than 0 and at most ${MAX_TIMEOUT_SECONDS} seconds`
    ),
    described(
      "Seconds until the command and its children are ended, with status 124. More than 0, at most 604800. Default: no limit"
    )
  )
)

/** Maximum grace period in seconds: the caller waits until the command has ended. */
const MAX_GRACE_SECONDS = 3_600
export const DEFAULT_GRACE_SECONDS = 2

/** Seconds between the signal and SIGKILL. */
export const graceSeconds = (description: string) =>
  Schema.Number.pipe(
    must((seconds) => seconds >= 0 && seconds <= MAX_GRACE_SECONDS, `must be 0 to ${MAX_GRACE_SECONDS} seconds`),
    described(description)
  )

/** Environment variables by name. */
export const variables = (description: string) =>
  strings(text("")).pipe(
    must(
      (variables) => Object.keys(variables).every((name) => name !== "" && !/[=\0]/.test(name)),
      "must be NAME=VALUE"
    ),
    described(description)
  )

const Variables = lazy(() => variables("Environment variables of the command. Default: none"))

/** Directory of the guest that a command starts in. */
export const workingDirectory = (description: string) =>
  Schema.String.pipe(
    must((path) => path !== "" && !path.includes("\0"), "must be a path in the guest"),
    described(description)
  )

/** Directory of a command that names none, in a workspace without one. */
export const DEFAULT_CWD = "/workspace"

/** Program and arguments of a command. */
export const command = (
  description = "Program and its arguments. Default: a login shell, which needs a terminal"
) => defaulted(list(text("Program or one argument"), wordBounds).annotate({ description }), () => [])

/** A shell script in place of a program and its arguments. */
export const script = () =>
  optional(text("Shell script to run instead of a command, with bash -c, or sh -c if bash is missing"))

/** Options of a command, in a new microVM or in a workspace. A new microVM has a `cwd` of its own. */
export const fieldsOfCommand = () => ({
  timeoutSeconds: optional(TimeoutSeconds()),
  graceSeconds: defaulted(
    graceSeconds(
      "Seconds between the signal (SIGINT for Ctrl-C and cancel, SIGTERM for the timeout) and SIGKILL to the command and its children. " +
        "0 to 3600; 0 kills at once"
    ),
    () => DEFAULT_GRACE_SECONDS
  ),
  env: defaulted(Variables(), () => ({})),
  cwd: optional(
    workingDirectory(
      "Working directory. A relative path is relative to /workspace. Default: the directory of the workspace"
    )
  ),
  user: optional(
    Schema.String.pipe(
      matching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}(:[A-Za-z0-9_.-]{1,64})?$/, "must be a user name, a uid, or uid:gid"),
      described("User to run as: `root`, `agent`, a uid, or uid:gid. Default: the owner of /workspace")
    )
  ),
  maxBytes: defaulted(
    between({
      from: 0,
      to: 67_108_864,
      unit: "bytes",
      description: "Maximum bytes of stdout, and of stderr, in the result. The middle of longer output is left out"
    }),
    () => 1_048_576
  ),
  order: optional(
    Schema.Literals(["stream", "arrival", "written"]).annotate({
      description:
        "`arrival`: the result also has `output`, stdout and stderr as one text in the order of arrival. `stream`: it has them apart alone. " +
        "`written`: the command has one pipe for both, which keeps the order in which it writes; all of it counts as stdout, also in `logs`. " +
        "Default: `stream`; on the command line without --json, `written` if stdout and stderr of pyro are one file, pipe or terminal"
    })
  )
})

/** Both outputs of a command in its result. */
export const outputInOrder = () =>
  optional(
    string(
      "stdout and stderr as one text, in the order of arrival, cut as each of them. What a program writes to both within some milliseconds " +
        "may change places. Only with `order` `arrival`"
    )
  )

export const terminalFields = () => ({
  tty: flag("Run on a terminal, for interactive programs. stdout and stderr are then one stream"),
  rows: defaulted(
    between({ from: 1, to: 65_535, unit: "rows", description: "Height of the terminal in rows" }),
    () => 24
  ),
  cols: defaulted(
    between({ from: 1, to: 65_535, unit: "columns", description: "Width of the terminal in columns" }),
    () => 80
  )
})

export const Outcome = lazy(() =>
  Schema.Literals(["exited", "signaled", "timed_out", "out_of_memory"]).annotate({
    description: "How the command ended: by itself, by a signal, by the timeout, or for want of guest memory"
  })
)
export type Outcome = ReturnType<typeof Outcome>["Type"]

/** How a command ended. */
export const endFields = () => ({
  outcome: Outcome(),
  status: integer(
    "Exit status: the command's own, 128 + n after signal n, 124 after the timeout, 137 if the guest ran out of memory"
  ),
  signal: optional(integer("Number of the signal that ended the command. Absent if no signal did"))
})

export const ended = () => ({
  ...endFields(),
  durationMs: milliseconds("Time from the command's start to its end")
})

export const outputStream = () =>
  Schema.Literals(["stdout", "stderr"]).annotate({ description: "Stream that the command wrote to" })

export const outputBytes = () => Schema.Uint8Array.annotate({ description: "The bytes, as the command wrote them" })

export const OutputEvent = lazy(() => Schema.TaggedStruct("Output", { from: outputStream(), bytes: outputBytes() }))

/** Process id of a command. */
export const processId = (absence: string) => integer(`Process id of the command in the guest. ${absence}`)

/** Id of a started command, or its first digits. */
export const StartedExecId = lazy(() =>
  Schema.String.pipe(matching(/^[0-9a-f]{1,32}$/, "must be 32 lower-case hexadecimal digits, or the first of them"))
)

/** Bytes of a command's output that its log no longer has. */
export const droppedBytes = () =>
  optional(integer("Bytes of the output that the log no longer has. Absent if the log is complete"))
