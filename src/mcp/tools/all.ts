import type { OperationName } from "../../contract/rows/operations.ts"
import type { AnyTool } from "../request.ts"
import { cancelTool, logsTool } from "./commands.ts"
import { diskExportTool, exportTool, patchTool, syncPushTool } from "./crossing.ts"
import { compareTool, diffTool } from "./diff.ts"
import { execTool } from "./exec.ts"
import { diskListTool, diskReadTool, fileEditTool, fileListTool, fileReadTool, fileWriteTool } from "./files.ts"
import {
  serviceListTool,
  serviceLogsTool,
  serviceStartTool,
  serviceStopTool,
  serviceTool,
  shellCloseTool,
  shellListTool,
  shellOpenTool,
  shellReadTool,
  shellWriteTool
} from "./residents.ts"
import { runTool } from "./run.ts"
import {
  createTool,
  deleteTool,
  listTool,
  networkLogTool,
  networkSetTool,
  resetTool,
  snapshotListTool,
  statusTool,
  updateTool
} from "./workspaces.ts"

/** Tools with a text or work of their own. Any other tool is its row with a plain text. */
export const tools: { readonly [Name in OperationName]?: AnyTool } = {
  "run": runTool,
  "workspace.create": createTool,
  "workspace.list": listTool,
  "workspace.status": statusTool,
  "workspace.update": updateTool,
  "workspace.delete": deleteTool,
  "workspace.reset": resetTool,
  "workspace.exec": execTool,
  "workspace.cancel": cancelTool,
  "workspace.logs": logsTool,
  "workspace.shell.open": shellOpenTool,
  "workspace.shell.list": shellListTool,
  "workspace.shell.read": shellReadTool,
  "workspace.shell.write": shellWriteTool,
  "workspace.shell.close": shellCloseTool,
  "workspace.service.start": serviceStartTool,
  "workspace.service.list": serviceListTool,
  "workspace.service.status": serviceTool,
  "workspace.service.logs": serviceLogsTool,
  "workspace.service.stop": serviceStopTool,
  "workspace.file.list": fileListTool,
  "workspace.file.read": fileReadTool,
  "workspace.file.write": fileWriteTool,
  "workspace.file.edit": fileEditTool,
  "workspace.disk.export": diskExportTool,
  "workspace.disk.list": diskListTool,
  "workspace.disk.read": diskReadTool,
  "workspace.patch.apply": patchTool,
  "workspace.diff": diffTool,
  "workspace.compare": compareTool,
  "workspace.export": exportTool,
  "workspace.sync.push": syncPushTool,
  "workspace.network.set": networkSetTool,
  "workspace.network.log": networkLogTool,
  "workspace.snapshot.list": snapshotListTool
}
