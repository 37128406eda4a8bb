import type { Plan } from "./measure.ts"
import { cliExec, cliList, runDaemon } from "./rows/cli-exec.ts"
import { cpuCreate, cpuDelete, cpuExec, cpuFileRead, cpuIdle } from "./rows/cpu.ts"
import { createEmpty, createWarm } from "./rows/create.ts"
import { diff, seedAgain } from "./rows/diff.ts"
import { execMcp } from "./rows/exec-mcp.ts"
import { execSdk } from "./rows/exec-sdk.ts"
import { exec } from "./rows/exec.ts"
import { fileRead, fileWatch, fileWrite } from "./rows/files.ts"
import { hostConnect } from "./rows/host-connect.ts"
import { idleMemory } from "./rows/idle-memory.ts"
import { buildImage, createImage, pullImage } from "./rows/image.ts"
import { daemonMemory, idleWorkspace, twentyAtOnce } from "./rows/many.ts"
import { mcpStart } from "./rows/mcp-start.ts"
import {
  connect,
  connectDenied,
  connectMany,
  createNetwork,
  download,
  execBesideDownload,
  upload
} from "./rows/network.ts"
import { observedCreate, observedExec } from "./rows/observation.ts"
import { execBesideOwnDownload } from "./rows/own-download.ts"
import { pauseRow, resumeRow } from "./rows/pause.ts"
import { portDownload, portLatency, portUpload } from "./rows/port.ts"
import { redaction } from "./rows/redaction.ts"
import { reset } from "./rows/reset.ts"
import { residentsMemory } from "./rows/residents-memory.ts"
import { restore } from "./rows/restore.ts"
import { execPoints, rewind } from "./rows/rewind.ts"
import { run } from "./rows/run.ts"
import { createSaved, saveRow } from "./rows/saved.ts"
import { seed } from "./rows/seed.ts"
import { serviceReady } from "./rows/service.ts"
import { shellEcho } from "./rows/shell-echo.ts"
import { shellKey } from "./rows/shell-key.ts"
import { shellPlain } from "./rows/shell-plain.ts"
import { slowReader } from "./rows/slow-reader.ts"
import { fork, forkEight, snapshot } from "./rows/snapshot.ts"
import { downloadSsh, execSsh, resumeSsh, uploadSsh } from "./rows/ssh.ts"
import { stdout, stdoutSdk } from "./rows/stdout.ts"
import { tenAtOnce } from "./rows/ten-at-once.ts"
import { tryForks, tryMemory } from "./rows/try.ts"
import { version } from "./rows/version.ts"

/** Every row, in the order of the table. */
export const plans: ReadonlyArray<Plan> = [
  createWarm,
  createEmpty,
  restore,
  reset,
  rewind,
  snapshot,
  fork,
  forkEight,
  tryForks,
  tryMemory,
  saveRow,
  createSaved,
  pauseRow,
  resumeRow,
  exec,
  execPoints,
  execSdk,
  execMcp,
  shellKey,
  shellEcho,
  shellPlain,
  observedExec,
  observedCreate,
  stdout,
  stdoutSdk,
  fileRead,
  fileWrite,
  fileWatch,
  redaction,
  cpuExec,
  cpuFileRead,
  cpuCreate,
  cpuDelete,
  cpuIdle,
  idleMemory,
  idleWorkspace,
  daemonMemory,
  version,
  mcpStart,
  hostConnect,
  cliExec,
  cliList,
  run,
  runDaemon,
  slowReader,
  seed,
  seedAgain,
  diff,
  tenAtOnce,
  twentyAtOnce,
  pullImage,
  buildImage,
  createImage,
  serviceReady,
  residentsMemory,
  createNetwork,
  connect,
  connectDenied,
  connectMany,
  upload,
  download,
  execBesideDownload,
  execBesideOwnDownload,
  portLatency,
  portDownload,
  portUpload,
  execSsh,
  downloadSsh,
  uploadSsh,
  resumeSsh
]
