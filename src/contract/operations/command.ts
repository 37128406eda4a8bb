import { Schema } from "effect"
import { between, defaulted, list, optional, strings, text } from "../fields.ts"
import { lazy } from "../operation.ts"

/** Longest deadline in seconds (a week): timers of JavaScript end at 24 days. */
const MAX_TIMEOUT_SECONDS = 604_800

const TimeoutSeconds = lazy(() =>
  Schema.Number.pipe(
    Schema.filter((seconds) => seconds > 0 && seconds <= MAX_TIMEOUT_SECONDS, {
      message: () => `must be more than 0 and at most ${MAX_TIMEOUT_SECONDS} seconds`
    }),
    Schema.annotations({
      description: "End the command and everything it started after this many seconds, with status 124"
    })
  )
)

/** Longest time in seconds that a command may take to end by itself: whoever ended it waits for that. */
const MAX_GRACE_SECONDS = 3_600
export const DEFAULT_GRACE_SECONDS = 2

/** How long a command that is ended has for its own handlers. */
export const graceSeconds = (description: string) =>
  Schema.Number.pipe(
    Schema.filter((seconds) => seconds >= 0 && seconds <= MAX_GRACE_SECONDS, {
      message: () => `must be 0 to ${MAX_GRACE_SECONDS} seconds`
    }),
    Schema.annotations({ description })
  )

const Variables = lazy(() =>
  strings(text("")).pipe(
    Schema.filter((variables) => Object.keys(variables).every((name) => name !== "" && !/[=\0]/.test(name)), {
      message: () => "must be NAME=VALUE"
    }),
    Schema.annotations({ description: "Environment variables of the command" })
  )
)

/** Program and arguments of a command. */
export const command = () =>
  defaulted(
    list(text("Program or one argument")).annotations({
      description: "Program and its arguments; a login shell when left out, which needs a terminal"
    }),
    () => []
  )

/** What runs instead of a program and its arguments. */
export const script = () => optional(text("Shell script to run instead of a command (bash -c, else sh -c)"))

/** How a command is run, in a fresh microVM or in a workspace. */
export const fieldsOfCommand = () => ({
  timeoutSeconds: optional(TimeoutSeconds()),
  graceSeconds: defaulted(
    graceSeconds(
      "Time between the signal that ends the command (SIGINT for Ctrl-C and cancel, SIGTERM for the timeout) and the kill of everything " +
        "it started; 0 kills at once"
    ),
    () => DEFAULT_GRACE_SECONDS
  ),
  env: defaulted(Variables(), () => ({})),
  cwd: defaulted(
    Schema.String.pipe(
      Schema.filter((path) => path !== "" && !path.includes("\0"), {
        message: () => "must be a path in the guest"
      }),
      Schema.annotations({ description: "Directory to run in; a relative path is of /workspace" })
    ),
    () => "/workspace"
  ),
  user: optional(
    Schema.String.pipe(
      Schema.pattern(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}(:[A-Za-z0-9_.-]{1,64})?$/, {
        message: () => "must be a user name, a uid, or uid:gid"
      }),
      Schema.annotations({
        description: "User to run as: root, agent, a uid, or uid:gid. Default: the owner of /workspace"
      })
    )
  ),
  maxBytes: defaulted(
    between({
      from: 0,
      to: 67_108_864,
      unit: "bytes",
      description: "Maximum bytes of stdout, and of stderr, in the result; the beginning and the end are kept"
    }),
    () => 1_048_576
  )
})

export const terminalFields = () => ({
  tty: defaulted(
    Schema.Boolean.annotations({ description: "Run on a terminal, for interactive programs" }),
    () => false
  ),
  rows: defaulted(between({ from: 1, to: 65_535, unit: "rows", description: "Height of the terminal" }), () => 24),
  cols: defaulted(between({ from: 1, to: 65_535, unit: "columns", description: "Width of the terminal" }), () => 80)
})

export const Outcome = lazy(() =>
  Schema.Literal("exited", "signaled", "timed_out", "out_of_memory").annotations({
    description: "How the command ended"
  })
)
export type Outcome = ReturnType<typeof Outcome>["Type"]

/** How a command ended. */
export const endFields = () => ({
  outcome: Outcome(),
  status: Schema.Int.annotations({
    description: "The command's exit status; 128 + n after signal n, 124 after the timeout, 137 out of memory"
  }),
  signal: optional(Schema.Int.annotations({ description: "Signal that ended the command" }))
})

export const ended = () => ({
  ...endFields(),
  durationMs: Schema.Number.annotations({ description: "From the command's start to its end, in ms" })
})

export const OutputEvent = lazy(() =>
  Schema.TaggedStruct("Output", {
    from: Schema.Literal("stdout", "stderr"),
    bytes: Schema.Uint8ArrayFromSelf.annotations({ jsonSchema: { type: "string", contentEncoding: "binary" } })
  })
)
