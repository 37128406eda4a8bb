import { named } from "../text/names.ts"
import { type ErrorOfRow, wakesBy } from "./call-errors.ts"
import { daemonLogs, daemonStatus, daemonStop, daemonTimings } from "./daemon.ts"
import { environmentExport, environmentImport } from "./environment-archive.ts"
import {
  environmentBuild,
  environmentInspect,
  environmentList,
  environmentPrune,
  environmentPull,
  environmentRemove
} from "./environment.ts"
import { config, doctor, gc, prepare } from "./host.ts"
import { run } from "./run.ts"
import { savedExport, savedImport } from "./saved-archive.ts"
import { savedDelete, savedInspect, savedList, workspaceSnapshotSave } from "./saved.ts"
import { spoolDrop, spoolPut, spoolTake } from "./spool.ts"
import { settled, type StateRule } from "./states.ts"
import { ui } from "./ui.ts"
import { workspaceAnswer } from "./workspace-answer.ts"
import { workspaceShellAttach } from "./workspace-attach.ts"
import { workspaceCommit } from "./workspace-commit.ts"
import { workspaceCompare, workspaceDiff } from "./workspace-diff.ts"
import { workspaceDiskExport, workspaceDiskList, workspaceDiskRead } from "./workspace-disk.ts"
import { watch, workspaceEvents } from "./workspace-events.ts"
import { workspaceExec } from "./workspace-exec.ts"
import { workspaceExport } from "./workspace-export.ts"
import { workspaceFileDownload, workspaceFileUpload } from "./workspace-file-stream.ts"
import { workspaceFileWatch } from "./workspace-file-watch.ts"
import {
  workspaceFileChmod,
  workspaceFileCopy,
  workspaceFileMkdir,
  workspaceFileRemove,
  workspaceFileRename,
  workspaceFileStat
} from "./workspace-file-work.ts"
import { workspaceFileEdit, workspaceFileList, workspaceFileRead, workspaceFileWrite } from "./workspace-file.ts"
import { workspaceFork } from "./workspace-fork.ts"
import { workspaceImport } from "./workspace-import.ts"
import type { WorkspaceState } from "./workspace-info.ts"
import { workspaceKeep } from "./workspace-keep.ts"
import {
  workspaceCreate,
  workspaceList,
  workspaceStart,
  workspaceStatus,
  workspaceStop
} from "./workspace-lifecycle.ts"
import { workspaceCancel, workspaceLogs } from "./workspace-logs.ts"
import { networkLists, workspaceNetworkLog, workspaceNetworkSet } from "./workspace-network.ts"
import { workspacePatchApply } from "./workspace-patch.ts"
import { workspacePause, workspaceResume } from "./workspace-pause.ts"
import { workspacePortList, workspacePortPublish, workspacePortUnpublish } from "./workspace-port.ts"
import { workspaceResize, workspaceSignal, workspaceStdin } from "./workspace-process.ts"
import { workspaceDelete, workspaceReset } from "./workspace-reset.ts"
import { workspaceHistory, workspaceRewind } from "./workspace-rewind.ts"
import {
  workspaceServiceList,
  workspaceServiceLogs,
  workspaceServiceStart,
  workspaceServiceStatus,
  workspaceServiceStop
} from "./workspace-service.ts"
import { workspaceShellRead, workspaceShellWrite } from "./workspace-shell-io.ts"
import {
  workspaceShellClose,
  workspaceShellList,
  workspaceShellOpen,
  workspaceShellResize,
  workspaceShellSignal
} from "./workspace-shell.ts"
import { workspaceSnapshotCreate, workspaceSnapshotDelete, workspaceSnapshotList } from "./workspace-snapshot.ts"
import { workspaceSshAgent } from "./workspace-ssh-agent.ts"
import { workspaceSshConfig, workspaceSshProxy } from "./workspace-ssh.ts"
import { workspaceSummary } from "./workspace-summary.ts"
import { workspaceSyncPush } from "./workspace-sync.ts"
import { workspaceTimeline } from "./workspace-timeline.ts"
import { workspaceTransferApplied, workspaceTransferRead } from "./workspace-transfer.ts"
import { workspaceTry } from "./workspace-try.ts"
import { workspaceRename, workspaceUpdate } from "./workspace-update.ts"
import { workspaceWatch } from "./workspace-watch.ts"

// Several lists, because the compiler writes no declaration as long as that of one list (TS7056).

/** Commands, shells, services and files of workspaces. */
const inside = [
  run,
  workspaceCreate,
  workspaceList,
  workspaceStatus,
  workspaceExec,
  workspaceLogs,
  workspaceCancel,
  workspaceSignal,
  workspaceResize,
  workspaceStdin,
  workspaceShellOpen,
  workspaceShellList,
  workspaceShellRead,
  workspaceShellWrite,
  workspaceShellResize,
  workspaceShellSignal,
  workspaceShellClose,
  workspaceShellAttach,
  workspaceServiceStart,
  workspaceServiceList,
  workspaceServiceStatus,
  workspaceServiceLogs,
  workspaceServiceStop,
  workspaceFileList,
  workspaceFileRead,
  workspaceFileWrite,
  workspaceFileEdit,
  workspaceFileDownload,
  workspaceFileUpload,
  workspaceFileWatch,
  workspaceFileStat,
  workspaceFileMkdir,
  workspaceFileRemove,
  workspaceFileRename,
  workspaceFileCopy,
  workspaceFileChmod
] as const

/** Changes, and states to return to or to start from. */
const changes = [
  workspaceDiff,
  workspacePatchApply,
  workspaceExport,
  workspaceTransferRead,
  workspaceTransferApplied,
  workspaceAnswer,
  workspaceImport,
  workspaceSyncPush,
  workspaceSummary,
  workspaceReset,
  workspaceHistory,
  workspaceRewind,
  workspaceSnapshotCreate,
  workspaceSnapshotList,
  workspaceSnapshotDelete,
  workspaceSnapshotSave,
  workspaceCommit,
  savedList,
  savedInspect,
  savedExport,
  savedImport,
  savedDelete,
  workspaceFork,
  workspaceTry,
  workspaceKeep,
  workspaceCompare
] as const

/** The rest of workspaces: networks, ports, records and their life. */
const life = [
  workspaceNetworkSet,
  workspaceNetworkLog,
  workspaceEvents,
  workspaceTimeline,
  workspaceWatch,
  workspacePortPublish,
  workspacePortList,
  workspacePortUnpublish,
  workspaceSshConfig,
  workspaceSshProxy,
  workspaceSshAgent,
  workspaceRename,
  workspaceUpdate,
  workspacePause,
  workspaceResume,
  workspaceStop,
  workspaceStart,
  workspaceDiskList,
  workspaceDiskRead,
  workspaceDiskExport,
  workspaceDelete,
  watch
] as const

/** The page, environments and the host. */
const host = [
  ui,
  networkLists,
  environmentList,
  environmentPull,
  environmentInspect,
  environmentBuild,
  environmentImport,
  environmentExport,
  environmentRemove,
  environmentPrune,
  prepare,
  doctor,
  config,
  gc,
  daemonStatus,
  daemonStop,
  daemonLogs,
  daemonTimings,
  spoolPut,
  spoolTake,
  spoolDrop
] as const

/**
 * All operations of pyro, in the order of the help. CLI commands, RPCs, MCP tools and the reference come from this list. Schemas are
 * thunks, so that a process builds only those that it uses.
 */
export const operations: readonly [...typeof inside, ...typeof changes, ...typeof life, ...typeof host] = [
  ...inside,
  ...changes,
  ...life,
  ...host
]

export type Operation = (typeof operations)[number]
export type OperationName = Operation["name"]
export type OperationOf<Name extends OperationName> = Extract<Operation, { readonly name: Name }>

export type PayloadOf<Name extends OperationName> = ReturnType<OperationOf<Name>["payload"]>["Type"]
/** The errors that a call of the operation may fail with. */
export type ErrorOf<Name extends OperationName> = ErrorOfRow<OperationOf<Name>>
export type ResultOf<Name extends OperationName> = ReturnType<OperationOf<Name>["result"]>["Type"]
export type EventOf<Name extends OperationName> = OperationOf<Name> extends { readonly event: () => infer E }
  ? E extends { readonly Type: infer A } ? A : never
  : never

/** The part of a row that `ends` reads. */
interface Row {
  readonly name: string
  readonly annotations?: { readonly destructive: boolean }
}

/** Commands that end or remove an object that a `reset` brings back, or that is no part of a workspace. */
const ENDS: ReadonlyArray<string> = [
  "workspace.cancel",
  "workspace.signal",
  "workspace.shell.signal",
  "workspace.shell.close",
  "workspace.service.stop",
  "workspace.port.unpublish",
  "daemon.stop",
  "host.disconnect"
]

/** Whether a command ends or removes an object. No suggestion names such a command, or another object for it. */
export const ends = ({ annotations, name }: Row): boolean => annotations?.destructive === true || ENDS.includes(name)

/** Operations on a workspace that exists. */
export type WorkspaceOperation = Exclude<
  Extract<OperationName, `workspace.${string}`>,
  "workspace.create" | "workspace.list"
>

/** The legal states of each operation on a workspace: for the checks, their errors and the reference. */
export const operationStates = named(
  operations.flatMap(({ name, states }) => states === undefined ? [] : [[name, states] as const])
) as Readonly<Record<WorkspaceOperation, StateRule>>

export const isLegal = (operation: WorkspaceOperation, state: WorkspaceState): boolean =>
  operationStates[operation].legal.includes(state)

/** Whether the operation resumes a paused workspace before it begins. */
export const wakes = (operation: WorkspaceOperation): boolean => wakesBy(operationStates[operation])

/** The legal states that last until a request changes them. The others end by themselves. */
export const lastingStates = (operation: WorkspaceOperation): ReadonlyArray<WorkspaceState> =>
  settled.filter((state) => isLegal(operation, state))
