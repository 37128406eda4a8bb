import { Schema } from "effect"
import { between, boolean, defaulted, integer, milliseconds, number, optional, string } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { ofBooting } from "./call-errors.ts"
import { foldTo, Notice, warnings } from "./notice.ts"
import { lazy, streaming, unary } from "./operation.ts"
import { at, settledOrAttaching, waits, withCommands } from "./states.ts"
import { workspaceField } from "./workspace-field.ts"
import { WorkspaceInfo } from "./workspace-info.ts"

const commandFields = () => ({
  execId: string("Id of the command, or of the operation on files"),
  command: string("Its words, cut if they are long"),
  startedAt: string("Start of the command, ISO 8601"),
  outcome: Schema.Literals(["exited", "signaled", "timed_out", "out_of_memory", "running", "lost"]).annotate({
    description: "How the command ended, or `running`. `lost`: the microVM ended first"
  }),
  status: optional(integer("Exit status. Absent while the command runs")),
  durationMs: optional(milliseconds("Time from start to end", "Absent while the command runs"))
})

/** In the words of each row. */
const changedNothing = (description: string) => ({ changedNothing: optional(boolean(description)) })

const HistoryEntry = lazy(() =>
  snakeStruct({
    ...commandFields(),
    ...changedNothing(
      "True if the command is known to have changed nothing of the workspace's disk: a rewind does not count it as a step. Absent otherwise"
    ),
    undone: boolean("Whether a rewind has undone the command"),
    point: optional(
      string(
        "The point that a rewind to before the command returns to. Absent if it is gone, was never made, or the command is undone"
      )
    ),
    byReset: optional(
      boolean(
        "True if no point is before the command, and a reset without a snapshot returns there: no earlier command led to the present state. Absent otherwise"
      )
    ),
    alsoUndone: optional(
      integer(
        "Number of earlier commands that this rewind undoes too, because no point lies between, without those that changed nothing. Absent without `point`"
      )
    ),
    writtenBytes: optional(
      number(
        "Bytes written to the disk between the points around the command. Absent if a point is missing, or another command lies between them"
      )
    )
  })
)
export type HistoryEntry = ReturnType<typeof HistoryEntry>["Type"]

const PointInfo = lazy(() =>
  snakeStruct({
    id: string("Id of the point"),
    createdAt: string("Time of the point, ISO 8601"),
    commands: integer("Number of commands that had started before it"),
    running: Schema.Array(Schema.String).annotate({ description: "Ids of the commands that ran at that time" }),
    memory: boolean(
      "Whether it has the memory of the microVM, so that processes, shells and services of that time go on. False: the disk alone"
    ),
    current: boolean(
      "Whether the present state comes from it. False after a rewind, for the points that the rewind left"
    ),
    beforeSsh: optional(
      string(
        "User of the guest whose SSH session began after the point, before any other point or command. Absent without one"
      )
    )
  })
)
type PointInfo = ReturnType<typeof PointInfo>["Type"]

export const HistoryPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    limit: defaulted(
      between({ from: 1, to: 10_000, description: "Maximum number of commands to list, the newest" }),
      () => 100
    )
  })
)
export type HistoryPayload = ReturnType<typeof HistoryPayload>["Type"]

export const HistoryResult = lazy(() =>
  snakeStruct({
    commands: Schema.Array(HistoryEntry()).annotate({
      description: "Commands since create or the last reset, oldest first"
    }),
    points: Schema.Array(PointInfo()).annotate({ description: "Points, oldest first" })
  })
)
export type HistoryResult = ReturnType<typeof HistoryResult>["Type"]

export const workspaceHistory = unary({
  name: "workspace.history",
  summary: "List a workspace's commands, with where a rewind can return to",
  description:
    "Lists the commands since create or the last reset, and the operations that changed files (file write, edit, patch apply, sync push, …), with their outcome, the bytes that each wrote to the disk, and whether the workspace can go back to the " +
    "moment before. pyro makes points by itself between commands, if something was written, and keeps the last 20 within PYRO_REWIND_MIB. " +
    "A command whose points are gone says so; before the first one, a reset returns there.",
  cli: {
    path: ["workspace", "history"],
    args: ["workspace"],
    examples: ["pyro history fix", "pyro history fix --limit 5 --json"]
  },
  mcp: { missing: "workspace_reset takes a number of commands, and each command's answer has its id" },
  states: at(withCommands),
  on: "residents",
  errors: [],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: HistoryPayload,
  result: HistoryResult
})

export const RewindPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    before: optional(string("Id of a command: go back to the newest point before it. Default: none")),
    steps: optional(
      between({ from: 1, to: 10_000, description: "Number of commands to undo that changed something. Default: 1" })
    ),
    to: optional(string("Id of a point: go to it, also forward after a rewind. Default: none"))
  })
)
export type RewindPayload = ReturnType<typeof RewindPayload>["Type"]

const UndoneCommand = lazy(() =>
  snakeStruct({
    ...commandFields(),
    ...changedNothing(
      "True if the command had changed nothing of the workspace's disk: it is no step. Absent otherwise"
    )
  })
)
export type UndoneCommand = ReturnType<typeof UndoneCommand>["Type"]

const EndedProgram = lazy(() =>
  Schema.Struct({
    kind: Schema.Literals(["command", "shell", "service"]).annotate({ description: "What it was" }),
    id: string("Id of the command or the shell; name of the service"),
    command: string("Its words, cut if they are long")
  })
)
export type EndedProgram = ReturnType<typeof EndedProgram>["Type"]

const rewoundFields = () => ({
  workspace: WorkspaceInfo().annotate({ description: "The workspace" }),
  point: string("The point that it returned to"),
  redo: string("The point of the state before the rewind: a rewind to it undoes the rewind"),
  undone: Schema.Array(UndoneCommand()).annotate({ description: "Commands that were undone, oldest first" }),
  writesUndone: Schema.Array(Schema.String).annotate({
    description:
      "What is undone beside these commands: what services, shells, SSH connections and earlier commands wrote since the workspace was as the point has it. A sentence each"
  }),
  ended: Schema.Array(EndedProgram()).annotate({
    description:
      "Commands, shells and services that ran, and ended with the old microVM. Without services that start again"
  }),
  memory: boolean(
    "Whether the memory of the point came back, with its processes. False: the disk alone, in a new microVM"
  ),
  stillRunning: Schema.Array(Schema.String).annotate({
    description:
      "What goes on in that memory: `service NAME`, `shell ID`, `command ID`. Background processes that a command left go on too"
  }),
  restarted: Schema.Array(Schema.String).annotate({ description: "Services that start again" }),
  keptEffects: Schema.Array(Schema.String).annotate({
    description:
      "What crossed the host since the point, and stays: exports, network connections and policies, published ports. A sentence each"
  })
})

/** What ended with the old microVM and is not in `undone`, for a text that has listed those. */
export const alsoEnded = (
  { ended, undone }: {
    readonly ended: ReadonlyArray<EndedProgram>
    readonly undone: ReadonlyArray<UndoneCommand>
  }
): ReadonlyArray<EndedProgram> => ended.filter(({ id }) => undone.every(({ execId }) => execId !== id))

const RewindEvent = lazy(() =>
  Schema.Union([Notice(), snakeStruct({ _tag: Schema.Literal("Rewound"), ...rewoundFields() })])
)
type RewindEvent = ReturnType<typeof RewindEvent>["Type"]

const RewindResult = lazy(() => snakeStruct({ ...rewoundFields(), warnings: warnings() }))
export type RewindResult = ReturnType<typeof RewindResult>["Type"]

export const workspaceRewind = streaming({
  name: "workspace.rewind",
  summary: "Bring a workspace back to the moment before a command",
  description:
    "Returns the workspace to the newest point before a command, in a new microVM. On QEMU a point is of the disk: processes end, and services that ran at the point start " +
    "again. On Firecracker a point has the memory too: processes, shells and services of that moment go on. Id, name, secrets, network policy, published ports and the history stay. Commands between the point and the named one are undone as well, and so is what other programs wrote since; the answer names " +
    "them. It also names what crossed the host and stays. The state before the rewind is a point too: --to returns to it.",
  cli: {
    path: ["workspace", "rewind"],
    args: ["workspace"],
    examples: [
      "pyro rewind fix",
      "pyro rewind fix --steps 3",
      "pyro rewind fix --before 4f0c6a1e9b7d42c58f3e6a7b8c9d0e1f"
    ]
  },
  mcp: { missing: "workspace_reset takes `before`" },
  states: at(settledOrAttaching, waits),
  on: "entry",
  needsRoom: true,
  errors: [...ofBooting, "NetworkUnsupported", "PointNotFound"],
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: RewindPayload,
  event: RewindEvent,
  result: RewindResult,
  fold: () =>
    foldTo<RewindEvent, "Rewound", RewindResult>(
      "Rewound",
      ({ _tag: _, ...rewound }, warnings) => ({ ...rewound, warnings })
    )
})
