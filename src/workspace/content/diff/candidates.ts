import { Effect, Stream } from "effect"
import { FileRefused } from "../../../contract/errors/errors.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { ComparedSide } from "../../../lib/guest-channel/model/files.ts"
import { type Pushed, pushedContent } from "../../../lib/seeding/model/pushed.ts"
import { differences, type Trees } from "../../life/guest/baseline.ts"
import { readContents, type ReadLimits } from "./contents.ts"

/** A path at which the trees differ, as a byte string with one character per byte. */
export interface Candidate {
  readonly path: string
  readonly old: ComparedSide | undefined
  readonly new: ComparedSide | undefined
}

/** Maximum number of differences, and maximum bytes of their paths: about 100 MiB of memory. */
export const MAX_CANDIDATES = 300_000
export const MAX_PATH_BYTES = 32 * 1024 * 1024

const tooMany = new FileRefused({
  path: "/workspace",
  reason: "too_large",
  detail: `more than ${MAX_CANDIDATES} files differ from the baseline, or their names are longer than ` +
    `${MAX_PATH_BYTES / 1024 / 1024} MiB; remove what was generated, or reset the workspace`
})

/** A workspace's trees, with the pushed files over the seed image. */
export interface Sources {
  readonly channel: GuestChannel
  readonly trees: Trees
  readonly pushed: Pushed
}

/**
 * All paths at which the live tree differs from the seed image, in the order of the walk. `mounts` has paths over which the guest
 * mounted something: the changes beneath are unknown.
 */
export const collectCandidates = ({ channel, trees }: Pick<Sources, "channel" | "trees">, verified: boolean) =>
  Effect.suspend(() => {
    const candidates: Array<Candidate> = []
    const mounts: Array<Candidate> = []
    let bytes = 0
    return differences(channel, { verified, trees }).pipe(
      Stream.runForEach((difference) => {
        bytes += difference.path.length
        if (candidates.length + mounts.length >= MAX_CANDIDATES || bytes > MAX_PATH_BYTES) return Effect.fail(tooMany)
        const found = difference.new?.type === "mount" ? mounts : candidates
        found.push({ ...difference, path: Buffer.from(difference.path).toString("latin1") })
        return Effect.void
      }),
      Effect.as({ candidates, mounts })
    )
  })

/** Reads files of the baseline, as they are with the pushed files. */
export const readBaseline =
  ({ channel, pushed, trees }: Sources) => (paths: ReadonlyArray<string>, limits: ReadLimits) =>
    Effect.gen(function*() {
      const seeded = paths.filter((path) => !pushed.entries.has(path))
      const contents = new Map(yield* readContents(channel, trees.baseline, seeded, limits))
      for (const path of paths) {
        const entry = pushed.entries.get(path)
        if (entry?._tag === "file") contents.set(path, yield* pushedContent(pushed, path, entry))
      }
      return contents
    })

/** Whether a candidate is at or beneath one of these paths. Without paths, all are. */
export const beneath = (paths: ReadonlyArray<Uint8Array>) => {
  const wanted = paths.map((path) => Buffer.from(path).toString("latin1"))
  return ({ path }: Candidate) =>
    wanted.length === 0 || wanted.some((one) => one === "" || path === one || path.startsWith(`${one}/`))
}

/** The mounts that hide wanted paths, in order. */
export const mountedAt = (
  paths: ReadonlyArray<Uint8Array>,
  mounts: ReadonlyArray<Candidate>
): ReadonlyArray<Uint8Array> => {
  const isWanted = beneath(paths)
  const texts = paths.map((path) => Buffer.from(path).toString("latin1"))
  return mounts
    .filter((mount) => isWanted(mount) || texts.some((path) => path.startsWith(`${mount.path}/`)))
    .map(({ path }) => Buffer.from(path, "latin1"))
    .sort(Buffer.compare)
}
