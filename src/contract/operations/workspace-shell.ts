import { Schema } from "effect"
import { between, defaulted, optional, text } from "../fields.ts"
import { lazy, unary } from "../operation.ts"
import { snakeFields } from "../snake.ts"
import { command, fieldsOfCommand } from "./command.ts"
import { secretMappings } from "./secret-fields.ts"
import {
  cols,
  cursorField,
  keysField,
  MAX_SHELL_INPUT_BYTES,
  rows,
  shellFields,
  ShellInfo,
  ShellScreen
} from "./shell-fields.ts"
import { workspaceField } from "./workspace-field.ts"

const full = { profiles: ["full"] } as const
const writes = { readOnly: false, destructive: false, idempotent: false, openWorld: false } as const
const shell = (...words: ReadonlyArray<string>) => ["workspace", "shell", ...words] as const

export const ShellOpenPayload = lazy(() => {
  const { cwd, env, user } = fieldsOfCommand()
  return Schema.Struct(snakeFields({
    workspace: workspaceField(),
    command: command().annotations({ description: "Program and its arguments. Default: bash -l" }),
    env,
    cwd,
    user,
    cols: defaulted(cols(), () => 80),
    rows: defaulted(rows(), () => 24),
    ...secretMappings()
  }))
})
export type ShellOpenPayload = ReturnType<typeof ShellOpenPayload>["Type"]

export const workspaceShellOpen = unary({
  name: "workspace.shell.open",
  summary: "Open a shell in a workspace that stays open",
  description:
    "Starts a program on a terminal and returns the id of the shell. The shell goes on after this command, and in forks and snapshots. " +
    "`shell write` types, `shell read` shows the screen, and `workspace attach` connects your own terminal.",
  cli: {
    path: shell("open"),
    args: ["workspace"],
    rest: "command",
    extras: { "id-only": { _tag: "switch", description: "Print only the id of the shell" } },
    exits: "own",
    examples: [
      "pyro workspace shell open fix",
      "pyro workspace shell open fix --cols 120 --rows 40 -- python3",
      "pyro workspace shell open fix --cwd src --id-only"
    ]
  },
  mcp: {
    tool: "shell_open",
    ...full,
    title: "Open a shell",
    description:
      "Open a terminal that stays: a REPL, a debugger, a full-screen program. For plain commands use workspace_exec",
    arguments: {
      workspace: {},
      command: { description: "Program and arguments [bash -l]" },
      cwd: { description: "Directory, in /workspace [.]" },
      env: { description: "Variables" },
      cols: { description: "[80]" },
      rows: { description: "[24]" },
      secret_env: { description: "Secrets to pass: NAME or NAME=VAR" }
    },
    omits: ["started_at", "status", "inherited", "output_bytes"]
  },
  home: "daemon",
  annotations: writes,
  payload: ShellOpenPayload,
  result: ShellInfo
})

export const ShellListPayload = lazy(() => Schema.Struct(snakeFields({ workspace: workspaceField() })))
export type ShellListPayload = ReturnType<typeof ShellListPayload>["Type"]

export const ShellListResult = lazy(() =>
  Schema.Struct(snakeFields({
    shells: Schema.Array(ShellInfo()).annotations({ description: "The newest 100 shells, oldest first" })
  }))
)
export type ShellListResult = ReturnType<typeof ShellListResult>["Type"]

export const workspaceShellList = unary({
  name: "workspace.shell.list",
  summary: "List the shells of a workspace",
  description:
    "Lists the shells since create or the last reset, with their programs, sizes and outcomes. The output of an ended shell stays readable.",
  cli: {
    path: shell("list"),
    args: ["workspace"],
    exits: "own",
    examples: ["pyro workspace shell list fix"]
  },
  mcp: {
    tool: "shell_list",
    ...full,
    arguments: { workspace: {} },
    omits: ["inherited"]
  },
  home: "daemon",
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: ShellListPayload,
  result: ShellListResult
})

export const ShellReadPayload = lazy(() =>
  Schema.Struct(snakeFields({
    ...shellFields(),
    cursor: cursorField(),
    plain: defaulted(
      Schema.Boolean.annotations({
        description:
          "Show the lines that a person sees on the terminal, without its codes: from the line of the cursor on, or the whole screen of a " +
          "full-screen program"
      }),
      () => false
    ),
    encoding: defaulted(
      Schema.Literal("text", "base64").annotations({
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
      text("Wait until the new lines contain this text. With `wait_for_idle_ms`, the pause comes after the text").pipe(
        Schema.filter((value) => value !== "" && value.length <= 1_000, {
          message: () => "must have 1 to 1000 characters"
        })
      )
    ),
    waitSeconds: defaulted(
      Schema.Number.pipe(
        Schema.filter((seconds) => seconds >= 0 && seconds <= 600, { message: () => "must be 0 to 600 seconds" }),
        Schema.annotations({ description: "Maximum seconds of both waits together. 0 to 600" })
      ),
      () => 30
    )
  }))
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
    exits: "own",
    examples: [
      "pyro workspace shell read fix \"$SHELL_ID\" --plain",
      "pyro workspace shell read fix \"$SHELL_ID\" --plain --wait-for-idle-ms 300",
      "pyro workspace shell read fix \"$SHELL_ID\" --plain --wait-for '#' --wait-seconds 60"
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
      max_bytes: { default: 8000, description: "[8000]" },
      wait_for_idle_ms: { description: "Wait until output pauses for this time" },
      wait_for: { description: "Wait for this text" },
      wait_seconds: { default: 30, description: "Maximum wait [30]" }
    },
    omits: ["skipped_bytes", "lossy"]
  },
  home: "daemon",
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: ShellReadPayload,
  result: ShellScreen
})

export const ShellWritePayload = lazy(() =>
  Schema.Struct(snakeFields({
    ...shellFields(),
    input: defaulted(
      text("Text to type. A newline is sent as the Enter key sends it. Default: none").pipe(
        Schema.filter((value) => !/\p{Surrogate}/u.test(value), { message: () => "must be well-formed Unicode" }),
        Schema.filter((value) => new TextEncoder().encode(value).length <= MAX_SHELL_INPUT_BYTES, {
          message: () => `must be at most ${MAX_SHELL_INPUT_BYTES} bytes`
        })
      ),
      () => ""
    ),
    keys: keysField()
  }))
)
export type ShellWritePayload = ReturnType<typeof ShellWritePayload>["Type"]

export const ShellWriteResult = lazy(() =>
  Schema.Struct(snakeFields({
    shellId: Schema.String.annotations({ description: "Id of the shell" }),
    writtenBytes: Schema.Int.annotations({ description: "Bytes that the terminal took" }),
    cursor: Schema.Int.annotations({
      description: "Position in the output before the input: read from here to see what the input did"
    })
  }))
)
export type ShellWriteResult = ReturnType<typeof ShellWriteResult>["Type"]

export const workspaceShellWrite = unary({
  name: "workspace.shell.write",
  summary: "Type into a shell",
  description:
    "Types --input, then presses the keys. Several writers take turns: each request is typed as a whole. If the program reads nothing for " +
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
    exits: "own",
    examples: [
      "pyro workspace shell write fix \"$SHELL_ID\" --input 'make test' --key enter",
      "pyro workspace shell write fix \"$SHELL_ID\" --key ctrl-c",
      "echo 'make test' | pyro workspace shell write fix \"$SHELL_ID\" --input-file -"
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
      input: { description: "Text; \\n is the Enter key" },
      keys: { description: "Keys after it: ctrl-c, enter, tab, escape, up, page-down, f1 …" },
      wait_for: { own: "text", description: "Wait for this text instead, up to 30 s" }
    }
  },
  home: "daemon",
  annotations: writes,
  payload: ShellWritePayload,
  result: ShellWriteResult
})

export const ShellResizePayload = lazy(() =>
  Schema.Struct(snakeFields({
    ...shellFields(),
    cols: optional(cols().annotations({ description: "New width in columns (2 to 1000). Default: the present one" })),
    rows: optional(rows().annotations({ description: "New height in rows (1 to 500). Default: the present one" }))
  }))
)
export type ShellResizePayload = ReturnType<typeof ShellResizePayload>["Type"]

export const workspaceShellResize = unary({
  name: "workspace.shell.resize",
  summary: "Change the size of a shell's terminal",
  description:
    "The program gets SIGWINCH and draws again if it follows the size. Later reads render with the new size.",
  cli: {
    path: shell("resize"),
    args: ["workspace", "shell_id"],
    exits: "own",
    examples: ["pyro workspace shell resize fix \"$SHELL_ID\" --cols 120 --rows 40"]
  },
  mcp: { missing: "`shell_open` sets the size" },
  home: "daemon",
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: ShellResizePayload,
  result: ShellInfo
})

export const ShellSignalPayload = lazy(() =>
  Schema.Struct(snakeFields({
    ...shellFields(),
    signal: defaulted(
      Schema.Literal("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGKILL", "SIGTSTP", "SIGCONT", "SIGUSR1", "SIGUSR2")
        .annotations({ description: "Signal to send" }),
      () => "SIGINT" as const
    )
  }))
)
export type ShellSignalPayload = ReturnType<typeof ShellSignalPayload>["Type"]

export const workspaceShellSignal = unary({
  name: "workspace.shell.signal",
  summary: "Send a signal to the foreground program of a shell",
  description:
    "Signals the process group in the foreground of the terminal, also if the program has turned Ctrl-C off. `shell close` ends the whole shell.",
  cli: {
    path: shell("signal"),
    args: ["workspace", "shell_id", "signal"],
    exits: "own",
    examples: ["pyro workspace shell signal fix \"$SHELL_ID\" SIGINT"]
  },
  mcp: { missing: "`shell_write` presses ctrl-c, and `shell_close` ends the shell" },
  home: "daemon",
  annotations: writes,
  payload: ShellSignalPayload,
  result: ShellInfo
})

export const ShellClosePayload = lazy(() => Schema.Struct(snakeFields(shellFields())))
export type ShellClosePayload = ReturnType<typeof ShellClosePayload>["Type"]

export const workspaceShellClose = unary({
  name: "workspace.shell.close",
  summary: "Close a shell",
  description:
    "Hangs the terminal up (SIGHUP), and kills the program and its children after 2 seconds. The output stays readable. A closed shell stays closed.",
  cli: {
    path: shell("close"),
    args: ["workspace", "shell_id"],
    exits: "own",
    examples: ["pyro workspace shell close fix \"$SHELL_ID\""]
  },
  mcp: {
    tool: "shell_close",
    ...full,
    arguments: { workspace: {}, shell_id: { description: "From shell_open" } },
    omits: ["started_at", "cols", "rows", "inherited", "output_bytes", "command"]
  },
  home: "daemon",
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: ShellClosePayload,
  result: ShellInfo
})
