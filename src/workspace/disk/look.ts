import { Duration, Effect, Stream } from "effect"
import {
  type ChannelFailed,
  DiskDamaged,
  type FileRefused,
  type PyroError,
  VmFailed
} from "../../contract/errors/errors.ts"
import type { DiskListPayload, DiskReadPayload } from "../../contract/rows/workspace-disk.ts"
import { type GuestTree, workspaceFile, type WorkspacePath, workspacePath } from "../../guest-channel/guest-path.ts"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import type { SecretSet } from "../../redaction/secrets.ts"
import type { Guest } from "../../vm/guest.ts"
import { withoutLinks } from "../content/files/links.ts"
import { listDirectory } from "../content/files/list.ts"
import { readPart } from "../content/files/read.ts"
import type { Lifecycle, LifecycleServices } from "../entry/context.ts"
import type { Entry } from "../entry/entry.ts"
import { borrowDisk, type Borrowed } from "../life/reader.ts"
import { guardOf } from "../residents/entry-residents.ts"

/** A whole disk in its inspector. */
interface DiskTree extends GuestTree {
  /** Folder with the errors of its file system (`GuestSteps.diskErrors`). */
  readonly errors: string
}

/** Mounts the whole disk in its inspector, as the workspace's programs see the disk. */
const openTree = ({ channel, vm }: Guest): Effect.Effect<DiskTree, ChannelFailed | DiskDamaged> => {
  const { directory, mounts } = vm.steps.inspectedRoot
  return channel.chain(mounts).pipe(
    Effect.as<DiskTree>({ root: directory, shown: "/", errors: vm.steps.diskErrors }),
    Effect.catchTag(
      "AgentCallFailed",
      ({ message }) => new DiskDamaged({ detail: `its root cannot be mounted: ${message}` })
    )
  )
}

/** ext4 shows a damaged directory as empty, and counts the error on the disk. */
const demandSound = (
  channel: GuestChannel,
  { errors }: DiskTree
): Effect.Effect<void, ChannelFailed | DiskDamaged> =>
  channel.read({ root: errors, path: "errors_count" }).pipe(
    Stream.runFold(() => "", (text, bytes) => (text + Buffer.from(bytes).toString("latin1")).slice(0, 16)),
    // The agent of the tests runs on the host's kernel, which has no such file.
    Effect.catchTag("AgentCallFailed", () => Effect.succeed("0")),
    Effect.flatMap((count) =>
      count.trim() === "0"
        ? Effect.void
        : new DiskDamaged({ detail: `its file system has ${Number.parseInt(count, 10)} errors` })
    )
  )

/** Reads a path, and once more without its links if the agent refuses an absolute link. */
const at = <A>(
  channel: GuestChannel,
  tree: DiskTree,
  path: WorkspacePath,
  look: (path: WorkspacePath) => Effect.Effect<A, ChannelFailed | FileRefused>
): Effect.Effect<A, PyroError> =>
  look(path).pipe(
    Effect.catchIf(
      (failure): failure is FileRefused => failure._tag === "FileRefused" && failure.reason === "outside",
      () => Effect.flatMap(withoutLinks(channel, path, tree), look)
    ),
    Effect.tap(demandSound(channel, tree))
  )

/** Lists a directory of an inspected disk. */
export const listDisk = (channel: GuestChannel, tree: DiskTree, payload: DiskListPayload) =>
  Effect.flatMap(
    workspacePath(payload.path, tree),
    (path) => at(channel, tree, path, (directory) => listDirectory(channel, directory, payload, tree))
  )

/** Reads a file of an inspected disk. */
export const readDisk = (
  channel: GuestChannel,
  tree: DiskTree,
  payload: DiskReadPayload,
  secrets: SecretSet | undefined = undefined
) =>
  Effect.flatMap(workspaceFile(payload.path, tree), (path) =>
    at(channel, tree, path, (file) =>
      // The disk is read at rest: no later write can expect its version.
      Effect.map(readPart(channel, file, payload, { tree, secrets }), ({ version: _, image: __, ...content }) =>
        content)))

/** Reads the disk of a workspace at rest, through an inspector. */
export const lookAtDisk = <A, P extends { readonly workspace: string; readonly allowSecrets?: boolean }>(
  lifecycle: Lifecycle,
  entry: Entry,
  payload: P,
  operation: "workspace.disk.list" | "workspace.disk.read",
  look: (
    channel: Borrowed["channel"],
    tree: DiskTree,
    payload: P,
    secrets: SecretSet | undefined
  ) => Effect.Effect<A, PyroError>
): Effect.Effect<A, PyroError, LifecycleServices> =>
  Effect.scoped(Effect.gen(function*() {
    const { channel, explain, guest } = yield* borrowDisk(lifecycle, entry, operation)
    const secrets = yield* guardOf(entry, payload)
    return yield* explain(
      Effect.flatMap(openTree(guest), (tree) => look(channel, tree, payload, secrets)).pipe(withinDeadline)
    )
  }))

/**
 * Time for the work of an inspector on a disk. The agent answers probes while it works. An agent under the guest's control may work for
 * ever, and so may the kernel with a file of 16 TiB.
 */
const deadline = Duration.minutes(10)

/** Ends the work of an inspector on a disk at the deadline. */
export const withinDeadline = Effect.timeoutOrElse({
  duration: deadline,
  orElse: () =>
    Effect.fail(
      new VmFailed({
        step: "inspect",
        detail: `the microVM that read the disk did not finish within ${
          Duration.toMinutes(deadline)
        } minutes; the workspace is unchanged`,
        consoleTail: ""
      })
    )
})
