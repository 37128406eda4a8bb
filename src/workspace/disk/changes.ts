import { Effect } from "effect"
import { DiskDamaged, VmFailed } from "../../contract/errors/errors.ts"
import { DEFAULT_CWD } from "../../contract/rows/command.ts"
import { escapeGuestText } from "../../contract/text/printable.ts"
import { readWorkspaceDisk } from "../../lib/disk/workspace-disk.ts"
import { BUILDER } from "../../lib/environment/model/catalogue.ts"
import { inspectedDisk, lowerDirectory } from "../../lib/vm/model/guest-steps.ts"
import type { Guest } from "../../lib/vm/model/guest.ts"
import { ensureFolder } from "../../system/files/entries.ts"
import { toHostErrorOf } from "../../system/files/failure.ts"
import { touch } from "../entry/activity.ts"
import { aloneFor, discardFolder, type Lifecycle, type Notify } from "../entry/context.ts"
import type { Entry } from "../entry/entry.ts"
import { virtualBytesOf, type WorkspaceRecord } from "../entry/record.ts"
import type { Registry } from "../entry/registry.ts"
import { type GuestServices, imagesOf } from "../life/guest/generation.ts"
import { explainInspector, openInspector } from "../life/read/inspector.ts"
import { capture } from "../life/snapshot/capture.ts"
import { imagesFor } from "../life/verbs/create.ts"
import { namelessFolder } from "../life/verbs/keep-saved.ts"
import { wakeFor } from "../life/verbs/pause.ts"
import { guestFiles, guestLinks } from "../residents/open/guest-files.ts"
import { guestEnvironment } from "../residents/program/command.ts"
import { demandNoSecrets } from "../residents/secret/whole-content.ts"
import { withinDeadline } from "./look.ts"
import { scrubFiles } from "./scrub.ts"

const OPERATION = "workspace.commit"

/** Why the changes of a workspace cannot be read to their end. */
export type ChangesLost = Effect.Error<ReturnType<typeof readChanges<never>>>

/** Data of a workspace that is not part of its environment. */
export interface Changes {
  readonly id: string
  readonly environment: { readonly name: string; readonly imagePath: string }
  /** Variables, user and directory of its commands. */
  readonly settings: Pick<WorkspaceRecord, "env" | "user" | "workspaceUser"> & { readonly cwd: string }
  /** Gives a tar archive with `upper`, the changes of the root as overlayfs has them, and `workspace`. */
  readonly archive: <E>(
    take: (bytes: Uint8Array) => Effect.Effect<void, E>
  ) => Effect.Effect<void, E | ChangesLost>
}

/** Files of a run. All other files belong to the new environment. */
const leftOut = ["upper/tmp/*", "upper/run/*", "upper/var/cache/apt/archives/*.deb"]

const command = (directory: string) =>
  [
    "tar",
    `--directory=${directory}`,
    "--create",
    "--file=-",
    "--format=pax",
    "--one-file-system",
    "--numeric-owner",
    "--sort=name",
    "--acls",
    "--xattrs",
    "--xattrs-include=*",
    "--anchored",
    ...leftOut.map((pattern) => `--exclude=${pattern}`),
    "upper",
    "workspace"
  ] as const

const failed = (detail: string) => new VmFailed({ step: "archive", detail, consoleTail: "" })

/** Runs tar of the inspector's own environment. */
const archiveOf = <E>({ channel, vm }: Guest, take: (bytes: Uint8Array) => Effect.Effect<void, E>) =>
  Effect.scoped(Effect.gen(function*() {
    const { directory, steps } = vm.steps.inspectedTools
    const layers = { changes: `${inspectedDisk}/upper`, environment: lowerDirectory }
    yield* scrubFiles(channel, layers, { files: guestFiles, links: guestLinks }).pipe(
      Effect.andThen(channel.chain(steps)),
      Effect.catchTag("AgentCallFailed", ({ message }) => new DiskDamaged({ detail: `it cannot be read: ${message}` }))
    )
    const [program, ...words] = command(directory)
    const env = guestEnvironment({ env: {}, tty: false })
    const tar = yield* channel.spawn({ argv: [program, ...words], env, cwd: "/" })
    let errorText = ""
    yield* tar.forEachOutput((output): Effect.Effect<void, E> => {
      if (output.from === "stdout") return take(output.bytes)
      errorText = (errorText + escapeGuestText(output.bytes)).slice(-1000)
      return Effect.void
    })
    const exit = yield* tar.exit
    if (exit._tag !== "exited" || exit.code !== 0) return yield* failed(`tar failed: ${errorText.trim()}`)
  }))

/** Why the changes of a workspace are not opened. */
export type ChangesUnread = Effect.Error<ReturnType<typeof changesOf | Registry["find"]>>

/** The archive of the layers in the folder `disk`, in a VM of the environment `builder`. */
const readChanges = <E>(
  entry: Entry,
  disk: string,
  take: (bytes: Uint8Array) => Effect.Effect<void, E>,
  notify: Notify
) =>
  Effect.scoped(Effect.gen(function*() {
    const { layers, seed, top } = yield* readWorkspaceDisk(disk, virtualBytesOf(yield* entry.record.now))
    const images = yield* imagesFor(BUILDER, notify)
    const guest = yield* openInspector(entry, { seed, layers: [...layers, top] }, images)
    yield* archiveOf(guest, take).pipe(withinDeadline, explainInspector(guest))
  }))

/**
 * The changes of a workspace at this moment, in layers that the Scope removes. The workspace goes on meanwhile. A VM of the environment
 * `builder` reads them, so the workspace's own needs no program.
 */
export const changesOf = (
  lifecycle: Lifecycle,
  entry: Entry,
  { allowSecrets, notify }: { readonly allowSecrets?: boolean | undefined; readonly notify: Notify }
) =>
  Effect.gen(function*() {
    yield* wakeFor(lifecycle, entry, OPERATION)
    yield* demandNoSecrets(entry.folder.directory, "root", { allowSecrets })
    const folder = yield* namelessFolder
    yield* Effect.addFinalizer(() => Effect.ignore(discardFolder(folder.directory)))
    yield* Effect.mapError(ensureFolder(folder.directory), toHostErrorOf(folder.directory))
    yield* aloneFor(lifecycle, entry, OPERATION)(capture(entry, folder, undefined))
    yield* touch(entry.folder)
    const record = yield* entry.record.now
    const { environment } = yield* imagesOf(entry, record)
    const { cwd = DEFAULT_CWD, env, user, workspaceUser } = record
    const services = yield* Effect.context<GuestServices>()
    const changes: Changes = {
      id: entry.id,
      environment: { name: record.environment.name, imagePath: environment.imagePath },
      settings: { env, user, workspaceUser, cwd },
      archive: (take) => Effect.provide(readChanges(entry, folder.disk, take, notify), services)
    }
    return changes
  })
