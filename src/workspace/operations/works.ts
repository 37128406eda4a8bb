import { Effect, Stream } from "effect"
import { pullFromStream } from "../../contract/rows/event-batches.ts"
import { readPort } from "../../contract/rows/workspace-port.ts"
import type { GuestChannel } from "../../lib/guest-channel/GuestChannel.ts"
import { readPushed } from "../../lib/seeding/model/pushed.ts"
import { exportFrom } from "../content/export/export.ts"
import { transferFrom } from "../content/export/transfer.ts"
import { editFile } from "../content/files/edit.ts"
import { listFiles } from "../content/files/list.ts"
import { readFile } from "../content/files/read.ts"
import { downloadFrom, uploadFile } from "../content/files/stream.ts"
import { watchFiles } from "../content/files/watch.ts"
import { changeMode, copyFile, makeDirectory, removeFile, renameFile, statFile } from "../content/files/work.ts"
import { writeFile } from "../content/files/write.ts"
import { importFiles } from "../content/import/import.ts"
import { applyPatchIn } from "../content/patch/apply.ts"
import { pushInto } from "../content/push.ts"
import { exportDisk } from "../disk/export.ts"
import { listDisk, lookAtDisk, readDisk } from "../disk/look.ts"
import { answeredEvent } from "../entry/consents.ts"
import { recordEvent } from "../entry/events.ts"
import { detachedOr } from "../life/engine/running.ts"
import { pointBeforeCommand } from "../life/points/keeper.ts"
import { explainEnd } from "../life/read/reader.ts"
import type { CaptureServices } from "../life/snapshot/capture.ts"
import { createSnapshot, deleteSnapshot, listSnapshots } from "../life/snapshot/keep.ts"
import { changeNetwork } from "../residents/network/allow-once.ts"
import { showNetworkLog } from "../residents/network/show.ts"
import { residentsOf } from "../residents/open/entry-residents.ts"
import { guardOf } from "../residents/open/entry-residents.ts"
import { stopService } from "../residents/service/ending.ts"
import { serviceLogs } from "../residents/service/logs.ts"
import { demandService, listServices, serviceStatus } from "../residents/service/services.ts"
import { startService } from "../residents/service/start.ts"
import { asEditStep } from "./edit-step.ts"
import { execWorks } from "./exec.ts"
import { infoOf } from "./info.ts"
import { rewindWorks } from "./rewind.ts"
import { savedWorks } from "./saved.ts"
import { sshWorks } from "./ssh.ts"
import { type AtRunning, inRunning, type Works } from "./work.ts"
import { workspaceDiff, workspaceWorks } from "./workspace.ts"

/** Work that needs only the channel of the running VM. */
const inGuest =
  <Payload, A>(work: (channel: GuestChannel, payload: Payload) => A) => ({ generation }: AtRunning, payload: Payload) =>
    work(generation.channel, payload)

/** What each operation on workspaces does. The lines of `daemon/calls/list.ts` give each work what its row says. */
export const works = {
  // Whole workspaces, and commands.
  ...workspaceWorks,
  ...execWorks,
  ...rewindWorks,
  ...savedWorks,
  ...sshWorks,
  // Shells.
  "workspace.shell.open": ({ entry, generation, shells }, payload) =>
    Effect.flatMap(
      entry.record.now,
      ({ memoryMib, user, workspaceUser }) =>
        shells.open({ ...generation, memoryMib }, { ...payload, user: payload.user ?? user ?? workspaceUser })
    ),
  "workspace.shell.list": ({ shells }) => shells.list,
  // A caller that waits for a shell uses the shell, without a need for the VM.
  "workspace.shell.read": ({ entry, shells }, payload) =>
    Effect.scoped(Effect.andThen(entry.uses.use, shells.read(payload))),
  "workspace.shell.write": ({ shells }, payload) => shells.write(payload),
  "workspace.shell.attach": { pulls: ({ shells }, payload, input) => shells.attach(payload, input) },
  "workspace.shell.resize": ({ shells }, payload) => shells.resize(payload),
  "workspace.shell.signal": ({ shells }, payload) => shells.signal(payload),
  "workspace.shell.close": ({ shells }, payload) => shells.close(payload),
  // Services.
  "workspace.service.start": ({ entry, generation, services }, payload) =>
    Effect.flatMap(
      entry.record.now,
      ({ image, user, workspaceUser }) =>
        startService(services, generation, payload, { user: user ?? workspaceUser, image })
    ).pipe(
      Effect.catch((failure) => detachedOr(entry, generation, failure))
    ),
  "workspace.service.list": ({ services }) => Effect.map(listServices(services), (services) => ({ services })),
  "workspace.service.status": ({ services }, { name, workspace }) => serviceStatus(services, name, workspace),
  "workspace.service.logs": ({ services }, payload) =>
    Effect.andThen(demandService(services, payload.name, payload.workspace), serviceLogs(services, payload)),
  "workspace.service.stop": ({ services }, payload) => stopService(services, payload),
  // Files.
  "workspace.file.list": ({ channel, lookAtFiles }, payload) =>
    lookAtFiles((files) => listFiles(channel, payload, files)),
  "workspace.file.read": ({ channel, entry, lookAtFiles }, payload) =>
    Effect.flatMap(
      guardOf(entry, payload),
      (secrets) => lookAtFiles((files) => readFile(channel, payload, secrets, files))
    ),
  "workspace.file.write": inGuest(writeFile),
  "workspace.file.edit": inGuest(editFile),
  "workspace.file.download": { events: ({ entry, lifecycle }, payload) => downloadFrom(lifecycle, entry, payload) },
  "workspace.file.upload": {
    pulls: ({ entry, lifecycle }, payload, input) =>
      Effect.flatMap(Effect.context<CaptureServices>(), (services) =>
        pullFromStream(Stream.fromEffect(
          inRunning(lifecycle, entry, "workspace.file.upload", { writes: true }, (at) =>
            Effect.andThen(
              pointBeforeCommand(lifecycle, entry),
              asEditStep(
                at,
                { words: ["file", "write", payload.path] },
                uploadFile(at.generation.channel, payload, input)
              )
            )).pipe(Effect.provide(services))
        )))
  },
  "workspace.file.watch": {
    events: ({ entry, generation }, payload) =>
      Stream.catch(
        watchFiles(generation.channel, payload),
        (failure) => Stream.fromEffect(explainEnd({ entry, generation })(Effect.fail(failure)))
      )
  },
  "workspace.file.stat": ({ channel, lookAtFiles }, payload) =>
    lookAtFiles((files) => statFile(channel, payload, files)),
  "workspace.file.mkdir": inGuest(makeDirectory),
  "workspace.file.remove": inGuest(removeFile),
  "workspace.file.rename": inGuest(renameFile),
  "workspace.file.copy": inGuest(copyFile),
  "workspace.file.chmod": inGuest(changeMode),
  // Changes, and crossings to and from the host.
  "workspace.diff": workspaceDiff,
  "workspace.patch.apply": ({ entry, generation }, payload) =>
    Effect.flatMap(
      readPushed(entry.folder.directory),
      ({ rules }) => applyPatchIn(generation.channel, payload, { rules })
    ),
  "workspace.sync.push": ({ entry, lifecycle }, payload) =>
    // The lock comes first: after the wait for another push, the VM may be another one.
    inRunning(lifecycle, entry, "workspace.sync.push", { writes: true }, (used) => pushInto(used, payload)).pipe(
      entry.pushLock.hold
    ),
  "workspace.import": inGuest(importFiles),
  "workspace.answer": ({ entry }, { decision, request }) =>
    Effect.flatMap(entry.consents.answer(request, decision), (waiting) =>
      Effect.as(
        recordEvent(entry.folder.directory, answeredEvent(waiting, decision)),
        { ...waiting, decision }
      )),
  "workspace.export": { events: ({ entry, lifecycle }, payload) => exportFrom(lifecycle, entry, payload) },
  "workspace.transfer.read": { events: ({ entry, lifecycle }, payload) => transferFrom(lifecycle, entry, payload) },
  "workspace.transfer.applied": ({ entry }, { transfer }) =>
    Effect.map(entry.transfers.make(transfer), (baselineMoved) => ({ baselineMoved })),
  // Snapshots.
  "workspace.snapshot.create": {
    notices: ({ entry, notify }, { name }) =>
      Effect.map(
        createSnapshot(entry, name, notify),
        (snapshot) => ({ _tag: "Taken" as const, snapshot })
      )
  },
  "workspace.snapshot.list": ({ entry }) => Effect.map(listSnapshots(entry), (snapshots) => ({ snapshots })),
  "workspace.snapshot.delete": ({ entry }, { name }) =>
    Effect.map(deleteSnapshot(entry, name), (deleted) => ({ deleted })),
  // The network and published ports.
  "workspace.network.set": ({ entry, ...residents }, payload) =>
    Effect.flatMap(
      changeNetwork(entry, residents, payload),
      (changed) => Effect.map(infoOf(entry), (workspace) => ({ workspace, ...changed }))
    ),
  "workspace.network.log": ({ entry }, payload) =>
    Effect.flatMap(
      residentsOf(entry, "workspace.network.log"),
      ({ network }) => showNetworkLog(entry, network, payload)
    ),
  "workspace.port.publish": ({ ports }, { port, workspace }) => ports.publish({ ...readPort(port)!, workspace }),
  "workspace.port.list": ({ ports }) => Effect.sync(() => ({ ports: ports.list() })),
  "workspace.port.unpublish": ({ ports }, { guestPort, workspace }) => ports.unpublish(guestPort, workspace),
  // The disk of a workspace at rest.
  "workspace.disk.list": ({ entry, lifecycle }, payload) =>
    lookAtDisk(lifecycle, entry, payload, "workspace.disk.list", listDisk),
  "workspace.disk.read": ({ entry, lifecycle }, payload) =>
    lookAtDisk(lifecycle, entry, payload, "workspace.disk.read", readDisk),
  "workspace.disk.export": {
    notices: ({ entry, lifecycle, notify }, payload) => exportDisk(lifecycle, entry, payload, notify)
  }
} satisfies Works
