import { Schema } from "effect"
import { defaulted, text } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { always, lazy, unary } from "./operation.ts"
import { keysField, MAX_SHELL_INPUT_BYTES, shellFields } from "./shell-fields.ts"
import { full, shell, writes } from "./shell-row.ts"
import { at, withVm } from "./states.ts"

export const ShellWritePayload = lazy(() =>
  snakeStruct({
    ...shellFields(),
    input: defaulted(
      text("").pipe(
        Schema.check(
          Schema.makeFilter((value) => !/\p{Surrogate}/u.test(value), { message: "must be well-formed Unicode" })
        ),
        Schema.check(
          Schema.makeFilter((value) => new TextEncoder().encode(value).length <= MAX_SHELL_INPUT_BYTES, {
            message: `must be at most ${MAX_SHELL_INPUT_BYTES} bytes`
          })
        ),
        Schema.annotate({
          description: "Line to type, which Enter ends unless keys follow. A newline in it is Enter, too. Default: none"
        })
      ),
      () => ""
    ),
    noNewline: defaulted(
      Schema.Boolean.annotate({ description: "Do not press Enter after the input" }),
      () => false
    ),
    keys: keysField()
  })
)
export type ShellWritePayload = ReturnType<typeof ShellWritePayload>["Type"]

export const ShellWriteResult = lazy(() =>
  snakeStruct({
    shellId: Schema.String.annotate({ description: "Id of the shell" }),
    writtenBytes: Schema.Int.annotate({ description: "Bytes that the terminal took" }),
    cursor: Schema.Int.annotate({
      description: "Position in the output before the input: read from here to see what the input did"
    })
  })
)
export type ShellWriteResult = ReturnType<typeof ShellWriteResult>["Type"]

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
    exits: "own",
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
  home: "daemon",
  annotations: writes,
  payload: ShellWritePayload,
  result: ShellWriteResult
})
