import { Schema } from "effect"
import { between, defaulted, described, flag, integer, must, optional, string, text } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { ofCommands } from "./call-errors.ts"
import { always, lazy, unary } from "./operation.ts"
import {
  cursorField,
  full,
  keysField,
  MAX_SHELL_INPUT_BYTES,
  shell,
  shellFields,
  ShellScreen,
  writes
} from "./shell-fields.ts"
import { at, withCommands, withVm } from "./states.ts"

export const ShellReadPayload = lazy(() =>
  snakeStruct({
    ...shellFields(),
    cursor: cursorField(),
    plain: flag(
      "Show the lines that a person sees on the terminal, without its codes: from the line of the cursor on, or the whole screen of a " +
        "full-screen program"
    ),
    encoding: defaulted(
      Schema.Literals(["text", "base64"]).annotate({
        description: "`text`: bytes that are not UTF-8 are replaced. `base64`: the exact bytes. Only without `plain`"
      }),
      () => "text" as const
    ),
    maxBytes: defaulted(
      between({
        from: 1,
        to: 4_194_304,
        unit: "bytes",
        description: "Maximum bytes of output to return. With `plain`, the earlier lines are left out first"
      }),
      () => 1_048_576
    ),
    waitForIdleMs: optional(
      between({
        from: 1,
        to: 60_000,
        unit: "ms",
        description: "Wait until no output came for this time, in ms. Default: return at once"
      })
    ),
    waitFor: optional(
      text("").pipe(
        must((value) => value !== "" && value.length <= 1_000, "must have 1 to 1000 characters"),
        described("Wait until the new lines contain this text. With `wait_for_idle_ms`, the pause comes after the text")
      )
    ),
    waitSeconds: defaulted(
      Schema.Number.pipe(
        must((seconds) => seconds >= 0 && seconds <= 600, "must be 0 to 600 seconds"),
        described("Maximum seconds of both waits together. 0 to 600")
      ),
      () => 30
    )
  })
)
export type ShellReadPayload = ReturnType<typeof ShellReadPayload>["Type"]

export const workspaceShellRead = unary({
  name: "workspace.shell.read",
  summary: "Show the output of a shell",
  description:
    "Shows the output from --cursor on: the bytes of the log, or with --plain the text that a person sees. Progress bars, cursor movement, " +
    "wide characters and full-screen programs appear as on a terminal. --plain renders at most the newest 16 MiB and shows at most 10,000 lines. " +
    "--wait-for also matches the echo of a typed line: wait for a text that the line does not contain. " +
    "A wait ends at once if the program has ended.",
  cli: {
    path: shell("read"),
    args: ["workspace", "shell_id"],
    extras: {
      "max-chars": {
        _tag: "limit",
        field: "max_bytes",
        description: "Maximum characters of output to return, where one of several bytes counts as several"
      }
    },
    examples: [
      "pyro shell read fix \"$SHELL_ID\" --plain",
      "pyro shell read fix \"$SHELL_ID\" --plain --wait-for-idle-ms 300",
      "pyro shell read fix \"$SHELL_ID\" --plain --wait-for '#' --wait-seconds 60"
    ]
  },
  mcp: {
    tool: "shell_read",
    ...full,
    title: "Read a shell",
    description: "Show what a shell's terminal shows, from next_cursor of an earlier call on",
    arguments: {
      workspace: {},
      shell_id: { description: "From shell_open" },
      cursor: { description: "next_cursor" },
      max_bytes: { default: 6500, description: "[6500]" },
      wait_for_idle_ms: { description: "Wait until output pauses for this time" },
      wait_for: { description: "Wait for this text" },
      wait_seconds: { default: 30, description: "Maximum wait [30]" }
    },
    omits: ["skipped_bytes", "lossy"]
  },
  states: at(withCommands),
  on: "residents",
  errors: ["ShellNotFound"],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: ShellReadPayload,
  result: ShellScreen
})

export const ShellWritePayload = lazy(() =>
  snakeStruct({
    ...shellFields(),
    input: defaulted(
      text("").pipe(
        must((value) => !/\p{Surrogate}/u.test(value), "must be well-formed Unicode"),
        must(
          (value) => new TextEncoder().encode(value).length <= MAX_SHELL_INPUT_BYTES,
          `must be at most ${MAX_SHELL_INPUT_BYTES} bytes`
        ),
        described("Line to type, which Enter ends unless keys follow. A newline in it is Enter, too. Default: none")
      ),
      () => ""
    ),
    noNewline: flag("Do not press Enter after the input"),
    keys: keysField()
  })
)
export type ShellWritePayload = ReturnType<typeof ShellWritePayload>["Type"]

const ShellWriteResult = lazy(() =>
  snakeStruct({
    shellId: string("Id of the shell"),
    writtenBytes: integer("Bytes that the terminal took"),
    cursor: integer("Position in the output before the input: read from here to see what the input did")
  })
)
type ShellWriteResult = ReturnType<typeof ShellWriteResult>["Type"]

export const workspaceShellWrite = unary({
  name: "workspace.shell.write",
  summary: "Type into a shell",
  description:
    "Types --input as a line, with Enter at its end, or with the keys in place of Enter. Several writers take turns: each request is typed as a whole. If the program reads nothing for " +
    "5 seconds, the command fails and says how much the terminal took.",
  cli: {
    path: shell("write"),
    args: ["workspace", "shell_id"],
    flags: { keys: "key" },
    extras: {
      "input-file": {
        _tag: "file",
        fills: "input",
        as: "text",
        description: "File of the host with the text to type (UTF-8), or - for stdin"
      }
    },
    examples: [
      "pyro shell write fix \"$SHELL_ID\" --input 'make test'",
      "pyro shell write fix \"$SHELL_ID\" --input y --no-newline",
      "pyro shell write fix \"$SHELL_ID\" --key ctrl-c",
      "echo 'make test' | pyro shell write fix \"$SHELL_ID\" --input-file -"
    ]
  },
  mcp: {
    tool: "shell_write",
    ...full,
    title: "Type into a shell",
    description: "Type into a shell, wait until its output pauses, and show what its terminal shows then",
    arguments: {
      workspace: {},
      shell_id: { description: "From shell_open" },
      input: { description: "Line; Enter ends it unless keys follow" },
      no_newline: { description: "No Enter after it" },
      keys: { description: "Keys in place of Enter: ctrl-c, enter, tab, escape, up, page-down, f1 …" },
      wait_for: { own: "text", description: "Wait for this text instead, up to 30 s" }
    }
  },
  states: at(withVm),
  on: "running",
  writes: always,
  errors: [...ofCommands, "ShellEnded", "ShellInputBlocked", "ShellNotFound"],
  annotations: writes,
  payload: ShellWritePayload,
  result: ShellWriteResult
})
