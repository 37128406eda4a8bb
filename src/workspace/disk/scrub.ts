import { Effect, Stream } from "effect"
import { randomBytes } from "node:crypto"
import * as path from "node:path"
import { type ChannelFailed, DiskDamaged } from "../../contract/errors/errors.ts"
import { formatOf } from "../../lib/disk/layer-format.ts"
import { makeWorkspaceDisk, type WorkspaceDisk } from "../../lib/disk/workspace-disk.ts"
import type { GuestChannel } from "../../lib/guest-channel/GuestChannel.ts"
import type { AgentCallFailed } from "../../lib/guest-channel/model/errors.ts"
import { inspectedDisk, lowerDirectory } from "../../lib/vm/model/guest-steps.ts"
import type { Guest } from "../../lib/vm/model/guest.ts"
import { keepReadOnly, openFile } from "../../system/files/content.ts"
import { ensureFolder } from "../../system/files/entries.ts"
import { toHostError } from "../../system/files/failure.ts"
import { MAX_WALKED } from "../content/files/list.ts"
import { removeStaged } from "../entry/context.ts"
import type { Entry } from "../entry/entry.ts"
import { unwritten } from "../entry/record.ts"
import { explainInspector, openInspector } from "../life/read/inspector.ts"
import { guestFiles, guestLinks } from "../residents/open/guest-files.ts"
import type { GuestFile, GuestLinks } from "../residents/program/guest-file.ts"
import { type FreeSpace, readFreeSpace } from "./free-space.ts"
import { withinDeadline } from "./look.ts"
import type { RestingDisk } from "./map.ts"

/** A disk at rest whose unused bytes are known. */
export interface ScrubbedDisk extends RestingDisk {
  readonly free: FreeSpace
}

const rootLayers = { changes: `${inspectedDisk}/upper`, environment: lowerDirectory } as const

/** Removes leftovers from the disk, and then asks for its unused bytes. */
const scrub = (guest: Guest, virtualBytes: number) =>
  scrubFiles(guest.channel, rootLayers, { files: guestFiles, links: guestLinks }).pipe(
    Effect.andThen(guest.channel.chain(guest.vm.steps.scrubInspected)),
    Effect.andThen(readFreeSpace(guest.channel, inspectedDisk, virtualBytes)),
    Effect.catchTag(
      "AgentCallFailed",
      ({ message }) =>
        new DiskDamaged({ detail: `its temporary files and unused blocks cannot be left out: ${message}` })
    ),
    withinDeadline,
    explainInspector(guest)
  )

/**
 * The disk of a workspace at rest without leftovers of a run. An inspector replays the journal and removes temporary files, settings of
 * the package cache and pyro's own files, all in a further layer. The end of the Scope removes the layer, or a sweep after a crash. The
 * caller has the lock of the workspace.
 */
export const scrubbedDisk = (
  entry: Entry,
  disk: WorkspaceDisk
) =>
  Effect.gen(function*() {
    // The VM must end before a process reads its layer.
    const { overlay, result: free } = yield* inScrubber(entry, disk, (_, free) => Effect.succeed(free))
    yield* Effect.scoped(Effect.flatMap(openFile(overlay, "r"), (fd) => keepReadOnly(fd, overlay))).pipe(
      Effect.mapError(toHostError)
    )
    return { seed: disk.seed, layers: [...disk.layers, disk.top, overlay], free }
  })

/** The same in the inspector itself, for a disk that its guest alone can read. */
export const inScrubber = <A, E, R>(
  entry: Entry,
  { layers, seed, top }: WorkspaceDisk,
  use: (guest: Guest, free: FreeSpace) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function*() {
    const { folder } = entry
    const directory = path.join(folder.compared, randomBytes(8).toString("hex"))
    yield* Effect.addFinalizer(() => removeStaged(folder.compared, directory))
    yield* Effect.mapError(ensureFolder(directory), unwritten(folder))
    const overlay = yield* makeWorkspaceDisk(directory, seed.virtualBytes, formatOf(top))
    const result = yield* Effect.scoped(Effect.gen(function*() {
      const guest = yield* openInspector(entry, { seed, layers: [...layers, top], top: overlay })
      return yield* use(guest, yield* scrub(guest, seed.virtualBytes))
    }))
    return { overlay, result }
  })

type Channel = Pick<GuestChannel, "call" | "openFile" | "walk" | "write">
type Failure = AgentCallFailed | ChannelFailed

/** Directories of an inspector. */
interface RootLayers {
  /** Changes of the workspace's root. */
  readonly changes: string
  /** The environment. */
  readonly environment: string
}

/** Maximum bytes of a file that pyro wrote into. A larger file is the guest's own. */
const MAX_BYTES = 4 * 1024 * 1024

/** The path is missing, or the guest has a link or another file in its place. */
const NOT_THERE: ReadonlyArray<string> = ["ENOENT", "ENOTDIR", "EISDIR", "ELOOP", "EXDEV", "EINVAL", "ENXIO"]

const unlessMissing = <A, R>(look: Effect.Effect<A, Failure, R>): Effect.Effect<A | undefined, Failure, R> =>
  Effect.catchIf(
    look,
    (failure): failure is AgentCallFailed => failure._tag === "AgentCallFailed" && NOT_THERE.includes(failure.errno),
    () => Effect.succeed(undefined)
  )

interface Found {
  readonly content: string
  readonly mode: number
}

/** Content of a regular file beneath a root. `undefined` for a missing, large or other file. */
const readBeneath = (channel: Channel, root: string, path: string): Effect.Effect<Found | undefined, Failure> =>
  Effect.gen(function*() {
    const { content, state } = yield* channel.openFile({ root, path: path.slice(1), limit: MAX_BYTES })
    if (state.size > MAX_BYTES) return undefined
    const chunks = yield* Stream.runCollect(content)
    return { content: Buffer.concat([...chunks]).toString("latin1"), mode: state.mode }
  }).pipe(Effect.scoped, unlessMissing)

/** Removes pyro's part of a file. If no other part is left, the environment's file is visible again. */
const scrubFile = (channel: Channel, { changes, environment }: RootLayers, { path, without }: GuestFile) =>
  Effect.gen(function*() {
    const found = yield* readBeneath(channel, changes, path)
    if (found === undefined) return
    const rest = without(found.content)
    if (rest === found.content) return
    // The removal goes first: on a full disk, its blocks have room for the rest.
    yield* channel.call.clear({ path: `${changes}${path}` })
    const original = yield* readBeneath(channel, environment, path)
    if (rest === undefined || rest === (original?.content ?? "")) return
    yield* channel.call.sync({ dropCaches: 0 })
    yield* channel.write(
      { root: changes, path: path.slice(1), mode: found.mode },
      Stream.make(Buffer.from(rest, "latin1"))
    )
  })

const scrubLinks = (channel: Channel, { changes }: RootLayers, { directory, targets }: GuestLinks) =>
  channel.walk({ root: changes, path: directory.slice(1), maxDepth: 1 }).pipe(
    Stream.take(MAX_WALKED),
    Stream.filter(({ linkTarget, type }) =>
      type === "symlink" && targets.includes(Buffer.from(linkTarget).toString("latin1"))
    ),
    Stream.runForEach(({ path }) =>
      channel.call.clear({ path: Buffer.concat([Buffer.from(`${changes}${directory}/`), path]) })
    ),
    unlessMissing
  )

/** Removes from an inspected disk the files that pyro wrote into the guest's root. */
export const scrubFiles = (
  channel: Channel,
  layers: RootLayers,
  { files, links }: { readonly files: ReadonlyArray<GuestFile>; readonly links: ReadonlyArray<GuestLinks> }
): Effect.Effect<void, Failure> =>
  Effect.andThen(
    Effect.forEach(files, (file) => scrubFile(channel, layers, file), { discard: true }),
    Effect.forEach(links, (one) => scrubLinks(channel, layers, one), { discard: true })
  )
