import { Schema } from "effect"
import { defaulted, described, flag, integer, matching, optional, string } from "../text/fields.ts"
import { snakeStruct, snakeTagged } from "../text/snake.ts"
import { ofCommands } from "./call-errors.ts"
import { outputBytes } from "./command.ts"
import { Notice } from "./notice.ts"
import { always, type Folding, lazy, streaming } from "./operation.ts"
import { cols, rows, shellId, shellIdField, shellOutcome } from "./shell-fields.ts"
import { at, withVm } from "./states.ts"
import { workspaceField } from "./workspace-field.ts"

/** Default key that detaches. */
const DEFAULT_DETACH_KEY = "ctrl-]"

export const AttachPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    shellId: optional(
      shellIdField().annotate({
        description: "Id of the shell, or its first digits. Default on the command line: a new shell"
      })
    ),
    cols: optional(cols().annotate({ description: "Width of the caller's terminal in columns. Default: the shell's" })),
    rows: optional(rows().annotate({ description: "Height of the caller's terminal in rows. Default: the shell's" })),
    detachKey: defaulted(
      Schema.String.pipe(
        matching(/^(ctrl-[a-z@[\\\]^_]|none)$/, "must be ctrl- and a letter or one of @ [ \\ ] ^ _, or none"),
        described("Key that leaves the shell open and returns to your own: `ctrl-` and a letter or sign, or `none`")
      ),
      () => DEFAULT_DETACH_KEY
    ),
    raw: flag(
      "Pass the output as it is. By default, pyro leaves out what asks your terminal or acts outside of its screen: titles, the " +
        "clipboard, notifications, printing, questions"
    )
  })
)
export type AttachPayload = ReturnType<typeof AttachPayload>["Type"]

const status = () => optional(integer("Exit status. Absent if the program has none"))

export const AttachEvent = lazy(() =>
  Schema.Union([
    snakeTagged("Attached", {
      shellId: shellId(),
      screen: string("Sequences that paint the present screen on a cleared terminal")
    }),
    Schema.TaggedStruct("Output", { bytes: outputBytes() }),
    Notice(),
    snakeTagged("Exited", { outcome: shellOutcome(), status: status() })
  ])
)
export type AttachEvent = ReturnType<typeof AttachEvent>["Type"]

export const AttachResult = lazy(() => snakeStruct({ shellId: shellId(), outcome: shellOutcome(), status: status() }))
export type AttachResult = ReturnType<typeof AttachResult>["Type"]

const fold = (): Folding<AttachEvent, AttachResult> => {
  let shell = ""
  let exited: Omit<AttachResult, "shellId"> | undefined
  return {
    add: (event) => {
      if (event._tag === "Attached") shell = event.shellId
      if (event._tag === "Exited") {
        const { _tag, ...how } = event
        exited = how
      }
    },
    result: () => exited && { shellId: shell, ...exited }
  }
}

export const workspaceShellAttach = streaming({
  name: "workspace.shell.attach",
  summary: "Connect your terminal to a shell of a workspace",
  description:
    "Shows the present screen of the shell, and connects keys, output and the size of your terminal. Without a shell, opens a new login shell. " +
    "The detach key leaves the shell open. Several terminals may be attached: all see the same, all may type, and the last size holds. " +
    "If the program ends, pyro exits with its status.",
  cli: {
    path: ["workspace", "attach"],
    args: ["workspace", "shell_id"],
    filled: ["cols", "rows"],
    exits: "guest",
    examples: ["pyro attach fix", "pyro attach fix \"$SHELL_ID\" --detach-key ctrl-q"]
  },
  mcp: { missing: "interactive terminal" },
  states: at(withVm),
  on: "running",
  writes: always,
  errors: [...ofCommands, "ShellEnded", "ShellNotFound"],
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: AttachPayload,
  event: AttachEvent,
  result: AttachResult,
  fold,
  exitStatus: ({ status = 0 }) => status
})
