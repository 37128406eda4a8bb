import { config } from "./config.ts"
import { daemonLogs, daemonStatus, daemonStop, daemonTimings } from "./daemon.ts"
import { doctor } from "./doctor.ts"
import {
  environmentBuild,
  environmentInspect,
  environmentList,
  environmentPrune,
  environmentPull,
  environmentRemove
} from "./environment.ts"
import { gc } from "./gc.ts"
import { networkLists } from "./network-lists.ts"
import { prepare } from "./prepare.ts"
import { run } from "./run.ts"
import { watch } from "./watch.ts"
import { workspaceShellAttach } from "./workspace-attach.ts"
import { workspaceCancel } from "./workspace-cancel.ts"
import { workspaceCompare } from "./workspace-compare.ts"
import { workspaceDelete } from "./workspace-delete.ts"
import { workspaceDiff } from "./workspace-diff.ts"
import { workspaceDiskExport, workspaceDiskList, workspaceDiskRead } from "./workspace-disk.ts"
import { workspaceEvents } from "./workspace-events.ts"
import { workspaceExec } from "./workspace-exec.ts"
import { workspaceExport } from "./workspace-export.ts"
import { workspaceFileEdit, workspaceFileList, workspaceFileRead, workspaceFileWrite } from "./workspace-file.ts"
import { workspaceFork } from "./workspace-fork.ts"
import { workspaceImport } from "./workspace-import.ts"
import {
  workspaceCreate,
  workspaceList,
  workspaceStart,
  workspaceStatus,
  workspaceStop
} from "./workspace-lifecycle.ts"
import { workspaceLogs } from "./workspace-logs.ts"
import { workspaceNetworkLog, workspaceNetworkSet } from "./workspace-network.ts"
import { workspacePatchApply } from "./workspace-patch.ts"
import { workspacePortList, workspacePortPublish, workspacePortUnpublish } from "./workspace-port.ts"
import { workspaceRename } from "./workspace-rename.ts"
import { workspaceReset } from "./workspace-reset.ts"
import {
  workspaceServiceList,
  workspaceServiceLogs,
  workspaceServiceStart,
  workspaceServiceStatus,
  workspaceServiceStop
} from "./workspace-service.ts"
import { workspaceShellClose } from "./workspace-shell-close.ts"
import { workspaceShellList } from "./workspace-shell-list.ts"
import { workspaceShellOpen } from "./workspace-shell-open.ts"
import { workspaceShellRead } from "./workspace-shell-read.ts"
import { workspaceShellResize } from "./workspace-shell-resize.ts"
import { workspaceShellSignal } from "./workspace-shell-signal.ts"
import { workspaceShellWrite } from "./workspace-shell-write.ts"
import { workspaceSnapshotCreate, workspaceSnapshotDelete, workspaceSnapshotList } from "./workspace-snapshot.ts"
import { workspaceSummary } from "./workspace-summary.ts"
import { workspaceSyncPush } from "./workspace-sync.ts"
import { workspaceUpdate } from "./workspace-update.ts"

/**
 * Everything pyro can be asked to do, in the order in which help shows it. CLI commands, RPCs, MCP tools and the
 * reference are read off this list; Schemas are thunks, so that a process builds only those that it uses.
 */
export const operations = [
  run,
  workspaceCreate,
  workspaceList,
  workspaceStatus,
  workspaceExec,
  workspaceLogs,
  workspaceCancel,
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
  workspaceDiff,
  workspacePatchApply,
  workspaceExport,
  workspaceImport,
  workspaceSyncPush,
  workspaceSummary,
  workspaceReset,
  workspaceSnapshotCreate,
  workspaceSnapshotList,
  workspaceSnapshotDelete,
  workspaceFork,
  workspaceCompare,
  workspaceNetworkSet,
  workspaceNetworkLog,
  workspaceEvents,
  workspacePortPublish,
  workspacePortList,
  workspacePortUnpublish,
  workspaceRename,
  workspaceUpdate,
  workspaceStop,
  workspaceStart,
  workspaceDiskList,
  workspaceDiskRead,
  workspaceDiskExport,
  workspaceDelete,
  watch,
  networkLists,
  environmentList,
  environmentPull,
  environmentInspect,
  environmentBuild,
  environmentRemove,
  environmentPrune,
  prepare,
  doctor,
  config,
  gc,
  daemonStatus,
  daemonStop,
  daemonLogs,
  daemonTimings
] as const

export type Operation = (typeof operations)[number]
export type OperationName = Operation["name"]
export type OperationOf<Name extends OperationName> = Extract<Operation, { readonly name: Name }>

export type PayloadOf<Name extends OperationName> = ReturnType<OperationOf<Name>["payload"]>["Type"]
export type ResultOf<Name extends OperationName> = ReturnType<OperationOf<Name>["result"]>["Type"]
export type EventOf<Name extends OperationName> = OperationOf<Name> extends { readonly event: () => infer E }
  ? E extends { readonly Type: infer A } ? A : never
  : never
