import { Effect, Stream } from "effect"
import type { ChannelFailed } from "../../contract/errors/errors.ts"
import type { AgentCallFailed } from "../../guest-channel/errors.ts"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import { MAX_WALKED } from "../content/files/list.ts"
import type { GuestFile, GuestLinks } from "../residents/guest-file.ts"

type Channel = Pick<GuestChannel, "call" | "openFile" | "walk" | "write">
type Failure = AgentCallFailed | ChannelFailed

/** Directories of an inspector. */
export interface RootLayers {
  /** Changes of the workspace's root. */
  readonly changes: string
  /** The environment. */
  readonly environment: string
}

/** Maximum bytes of a file that pyro wrote into. A larger file is the guest's own. */
const MAX_BYTES = 4 * 1024 * 1024

/** The path is not there, or a link or another file of the guest is in its place. */
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

/** Content of a regular file beneath a root. `undefined` for another file, a large one and none. */
const readBeneath = (channel: Channel, root: string, path: string): Effect.Effect<Found | undefined, Failure> =>
  Effect.gen(function*() {
    const { content, state } = yield* channel.openFile({ root, path: path.slice(1), limit: MAX_BYTES })
    if (state.size > MAX_BYTES) return undefined
    const chunks = yield* Stream.runCollect(content)
    return { content: Buffer.concat([...chunks]).toString("latin1"), mode: state.mode }
  }).pipe(Effect.scoped, unlessMissing)

/** Takes pyro's part out of a file, and uncovers the environment's file if no other part is left. */
const scrubFile = (
  channel: Channel,
  { changes, environment }: RootLayers,
  { path, without }: GuestFile
): Effect.Effect<void, Failure> =>
  Effect.gen(function*() {
    const found = yield* readBeneath(channel, changes, path)
    if (found === undefined) return
    const rest = without(found.content)
    if (rest === found.content) return
    // The removal first: its blocks have room for the rest on a full disk.
    yield* channel.call.clear({ path: `${changes}${path}` })
    const original = yield* readBeneath(channel, environment, path)
    if (rest === undefined || rest === (original?.content ?? "")) return
    yield* channel.call.sync({ dropCaches: 0 })
    yield* channel.write(
      { root: changes, path: path.slice(1), mode: found.mode },
      Stream.make(Buffer.from(rest, "latin1"))
    )
  })

const scrubLinks = (
  channel: Channel,
  { changes }: RootLayers,
  { directory, targets }: GuestLinks
): Effect.Effect<void, Failure> =>
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

/** Takes out of an inspected disk what pyro wrote into the root of the guest. */
export const scrubFiles = (
  channel: Channel,
  layers: RootLayers,
  { files, links }: { readonly files: ReadonlyArray<GuestFile>; readonly links: ReadonlyArray<GuestLinks> }
): Effect.Effect<void, Failure> =>
  Effect.andThen(
    Effect.forEach(files, (file) => scrubFile(channel, layers, file), { discard: true }),
    Effect.forEach(links, (one) => scrubLinks(channel, layers, one), { discard: true })
  )
