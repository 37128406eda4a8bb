import { Schema } from "effect"
import { between, boolean, defaulted, described, integer, list, must, optional, string } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { Outcome } from "./command.ts"
import { lazy } from "./operation.ts"
import { workspaceField } from "./workspace-field.ts"

/** Bounds of a shell's terminal. Its rendering takes some 12 bytes a cell. */
export const SHELL_COLS = { from: 2, to: 1_000 } as const
export const SHELL_ROWS = { from: 1, to: 500 } as const

/** Maximum number of open shells of a workspace: each one holds memory of the daemon. */
export const MAX_OPEN_SHELLS = 100

/** Maximum bytes of input in one request. */
export const MAX_SHELL_INPUT_BYTES = 4_194_304

export const shellIdField = lazy(() =>
  Schema.String.pipe(
    must((id) => id !== "" && id.length <= 32, "must be a shell's id, or its first digits"),
    described("Id of the shell, or its first digits")
  )
)

/** The shell of a request. */
export const shellFields = () => ({ workspace: workspaceField(), shellId: shellIdField() })

export const cols = () => between({ ...SHELL_COLS, unit: "columns", description: "Width of the terminal in columns" })
export const rows = () => between({ ...SHELL_ROWS, unit: "rows", description: "Height of the terminal in rows" })

const KEY =
  /^(ctrl-[a-z]|enter|tab|escape|up|down|left|right|home|end|page-up|page-down|backspace|delete|f([1-9]|1[0-2]))$/

export const keysField = () =>
  defaulted(
    list(
      Schema.String.pipe(
        Schema.check(
          Schema.isPattern(KEY, {
            message:
              "must be ctrl-a to ctrl-z, enter, tab, escape, up, down, left, right, home, end, page-up, page-down, backspace, delete, or f1 to f12",
            description: `a string matching the pattern ${KEY.source}`
          })
        )
      )
    ).annotate({
      description:
        "Keys to press after the input: `ctrl-a` to `ctrl-z`, `enter`, `tab`, `escape`, `up`, `down`, `left`, `right`, `home`, `end`, " +
        "`page-up`, `page-down`, `backspace`, `delete`, `f1` to `f12`. Default: none"
    }),
    () => []
  )

export const cursorField = () =>
  defaulted(
    Schema.Int.pipe(Schema.check(Schema.isGreaterThanOrEqualTo(0))).annotate({
      description: "Position in the output to read from, in bytes: `next_cursor` of an earlier read"
    }),
    () => 0
  )

export const shellId = () => string("Id of the shell")
export const shellOutcome = () =>
  Schema.Union([Outcome(), Schema.Literals(["running", "lost"])]).annotate({
    description: "How the program of the shell ended, or `running`. `lost`: the microVM ended first"
  })

/** A shell, as `open` and `list` show it. */
export const ShellInfo = lazy(() =>
  snakeStruct({
    shellId: shellId(),
    command: Schema.Array(Schema.String).annotate({ description: "Program and arguments. Empty for the login shell" }),
    startedAt: string("Time of the opening, ISO 8601"),
    outcome: shellOutcome(),
    status: optional(integer("Exit status. Absent while the program runs")),
    cols: integer("Width of the terminal in columns"),
    rows: integer("Height of the terminal in rows"),
    outputBytes: integer("Total bytes of its output: the cursor of its end"),
    inherited: optional(
      Schema.Literal(true).annotate({
        description: "True if the shell was opened before the fork or the snapshot that this workspace comes from"
      })
    )
  })
)
export type ShellInfo = ReturnType<typeof ShellInfo>["Type"]

/** Screen of a shell. */
export const ShellScreen = lazy(() =>
  snakeStruct({
    shellId: shellId(),
    outcome: shellOutcome(),
    status: optional(integer("Exit status. Absent while the program runs")),
    output: string("Output from the cursor on. With `plain`, the lines that a person sees"),
    nextCursor: integer("Cursor after this output, for the next call"),
    truncated: boolean("Whether output is left out: with `plain` the earlier lines, else the rest"),
    alternate: optional(
      Schema.Literal(true).annotate({
        description: "True if a full-screen program runs: `output` is then the whole screen. Only with `plain`"
      })
    ),
    waited: optional(
      Schema.Literals(["found", "idle", "ended", "timed_out"]).annotate({
        description: "Reason for the end of the wait. `ended`: the program has ended. Absent without a wait"
      })
    ),
    skippedBytes: optional(
      integer("Bytes between the cursor and this output that were dropped. Absent if there are none")
    ),
    lossy: optional(boolean("Whether bytes that are not UTF-8 were replaced by U+FFFD. Absent with `plain`"))
  })
)
export type ShellScreen = ReturnType<typeof ShellScreen>["Type"]

/** Parts that the rows of shells share. */
export const full = { profiles: ["full"] } as const
export const writes = { readOnly: false, destructive: false, idempotent: false, openWorld: false } as const
export const shell = (...words: ReadonlyArray<string>) => ["workspace", "shell", ...words] as const
