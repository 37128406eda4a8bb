import type { ChannelFailed, PyroError } from "../../contract/errors/errors.ts"
import type { ErrorOf, OperationName } from "../../contract/rows/operations.ts"
import type { PyroClient, SavedSnapshots } from "../promises/client.ts"
import type { Process } from "../promises/command.ts"
import type { Files } from "../promises/files.ts"
import type { Network, Port, Ports, Services, Snapshots } from "../promises/services.ts"
import type { Shell } from "../promises/shell.ts"
import type { Workspace } from "../promises/workspace.ts"

// The operations that each method of a handle calls: its errors are theirs. A method without an entry may fail with any error of pyro.

interface OfClient {
  readonly create: "workspace.create"
  readonly get: "workspace.status"
  readonly open: "workspace.create" | "workspace.start"
  readonly list: "workspace.list"
}

interface OfWorkspace {
  readonly status: "workspace.status"
  readonly exec: "workspace.exec"
  readonly spawn: "workspace.exec"
  readonly attach: "workspace.exec"
  readonly commands: "workspace.logs"
  readonly shell: "workspace.shell.open"
  readonly port: "workspace.port.list" | "workspace.port.publish" | "workspace.port.unpublish"
  readonly snapshot: "workspace.snapshot.create"
  readonly save: "workspace.snapshot.save"
  readonly commit: "workspace.commit"
  readonly fork: "workspace.fork"
  readonly forks: "workspace.fork"
  readonly try: "workspace.try"
  readonly keep: "workspace.keep"
  readonly reset: "workspace.reset"
  readonly history: "workspace.history"
  readonly rewind: "workspace.rewind"
  readonly stop: "workspace.stop"
  readonly pause: "workspace.pause"
  readonly resume: "workspace.resume"
  readonly start: "workspace.start"
  readonly rename: "workspace.rename"
  readonly update: "workspace.update"
  readonly diff: "workspace.diff"
  readonly patch: "workspace.patch.apply"
  readonly export: "workspace.export"
  readonly import: "workspace.import"
  readonly push: "workspace.sync.push"
  readonly delete: "workspace.delete"
}

interface OfProcess {
  readonly stdin: "workspace.stdin"
  readonly stdout: "workspace.exec"
  readonly stderr: "workspace.exec"
  readonly output: "workspace.exec"
  readonly wait: "workspace.exec"
  readonly kill: "workspace.signal"
  readonly resize: "workspace.resize"
  readonly detach: "workspace.exec"
}

interface OfShell {
  readonly input: "workspace.shell.write"
  readonly output: "workspace.shell.attach"
  readonly type: "workspace.shell.write"
  readonly read: "workspace.shell.read"
  readonly resize: "workspace.shell.resize"
  readonly kill: "workspace.shell.signal"
  readonly close: "workspace.shell.close"
}

interface OfFiles {
  readonly read: "workspace.file.download"
  readonly readText: "workspace.file.download"
  readonly stream: "workspace.file.download"
  readonly write: "workspace.file.upload" | "workspace.file.write"
  readonly edit: "workspace.file.edit"
  readonly stat: "workspace.file.stat"
  readonly exists: "workspace.file.stat"
  readonly list: "workspace.file.list"
  readonly mkdir: "workspace.file.mkdir"
  readonly remove: "workspace.file.remove"
  readonly rename: "workspace.file.rename"
  readonly copy: "workspace.file.copy"
  readonly chmod: "workspace.file.chmod"
  readonly watch: "workspace.file.watch"
}

interface OfServices {
  readonly start: "workspace.service.start"
  readonly list: "workspace.service.list"
  readonly get: "workspace.service.status"
  readonly logs: "workspace.service.logs"
  readonly stop: "workspace.service.stop"
}

interface OfNetwork {
  readonly set: "workspace.network.set"
  readonly log: "workspace.network.log"
}

interface OfSnapshots {
  readonly list: "workspace.snapshot.list"
  readonly delete: "workspace.snapshot.delete"
}

interface OfPorts {
  readonly list: "workspace.port.list"
  readonly close: "workspace.port.unpublish"
}

interface OfPort {
  readonly close: "workspace.port.unpublish"
}

interface OfSaved {
  readonly list: "saved.list"
  readonly get: "saved.inspect"
  readonly delete: "saved.delete"
  readonly export: "saved.export"
  readonly import: "saved.import"
}

type OperationsOf<T> = T extends Workspace ? OfWorkspace
  : T extends Process ? OfProcess
  : T extends Shell ? OfShell
  : T extends Files ? OfFiles
  : T extends Services ? OfServices
  : T extends Network ? OfNetwork
  : T extends Port ? OfPort
  : T extends Ports ? OfPorts
  : T extends SavedSnapshots ? OfSaved
  : T extends Snapshots ? OfSnapshots
  : T extends Pick<PyroClient, "create"> ? OfClient
  : unknown

/** The errors of a member of the promise form of a handle. */
export type ErrorOfMember<T, Member> = Member extends keyof OperationsOf<T>
  ? OperationsOf<T>[Member] extends infer Name extends OperationName ? ChannelFailed | ErrorOf<Name> : PyroError
  : PyroError
