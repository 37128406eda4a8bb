import { config } from "./operations/config.ts"
import { daemonLogs, daemonStatus, daemonStop, daemonTimings } from "./operations/daemon.ts"
import { doctor } from "./operations/doctor.ts"
import {
  environmentBuild,
  environmentInspect,
  environmentList,
  environmentPrune,
  environmentPull,
  environmentRemove
} from "./operations/environment.ts"
import { gc } from "./operations/gc.ts"
import { networkLists } from "./operations/network-lists.ts"
import { prepare } from "./operations/prepare.ts"
import { run } from "./operations/run.ts"
import { watch } from "./operations/watch.ts"
import { workspaceShellAttach } from "./operations/workspace-attach.ts"
import { workspaceCancel } from "./operations/workspace-cancel.ts"
import { workspaceCompare } from "./operations/workspace-compare.ts"
import { workspaceDelete } from "./operations/workspace-delete.ts"
import { workspaceDiff } from "./operations/workspace-diff.ts"
import { workspaceDiskExport, workspaceDiskList, workspaceDiskRead } from "./operations/workspace-disk.ts"
import { workspaceEvents } from "./operations/workspace-events.ts"
import { workspaceExec } from "./operations/workspace-exec.ts"
import { workspaceExport } from "./operations/workspace-export.ts"
import {
  workspaceFileEdit,
  workspaceFileList,
  workspaceFileRead,
  workspaceFileWrite
} from "./operations/workspace-file.ts"
import { workspaceFork } from "./operations/workspace-fork.ts"
import { workspaceImport } from "./operations/workspace-import.ts"
import {
  workspaceCreate,
  workspaceList,
  workspaceStart,
  workspaceStatus,
  workspaceStop
} from "./operations/workspace-lifecycle.ts"
import { workspaceLogs } from "./operations/workspace-logs.ts"
import { workspaceNetworkLog, workspaceNetworkSet } from "./operations/workspace-network.ts"
import { workspacePatchApply } from "./operations/workspace-patch.ts"
import { workspacePortList, workspacePortPublish, workspacePortUnpublish } from "./operations/workspace-port.ts"
import { workspaceRename } from "./operations/workspace-rename.ts"
import { workspaceReset } from "./operations/workspace-reset.ts"
import {
  workspaceServiceList,
  workspaceServiceLogs,
  workspaceServiceStart,
  workspaceServiceStatus,
  workspaceServiceStop
} from "./operations/workspace-service.ts"
import { workspaceShellClose } from "./operations/workspace-shell-close.ts"
import { workspaceShellList } from "./operations/workspace-shell-list.ts"
import { workspaceShellOpen } from "./operations/workspace-shell-open.ts"
import { workspaceShellRead } from "./operations/workspace-shell-read.ts"
import { workspaceShellResize } from "./operations/workspace-shell-resize.ts"
import { workspaceShellSignal } from "./operations/workspace-shell-signal.ts"
import { workspaceShellWrite } from "./operations/workspace-shell-write.ts"
import {
  workspaceSnapshotCreate,
  workspaceSnapshotDelete,
  workspaceSnapshotList
} from "./operations/workspace-snapshot.ts"
import { workspaceSummary } from "./operations/workspace-summary.ts"
import { workspaceSyncPush } from "./operations/workspace-sync.ts"
import { workspaceUpdate } from "./operations/workspace-update.ts"

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
