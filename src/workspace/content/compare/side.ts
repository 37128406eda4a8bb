import { Effect, Ref, type Scope } from "effect"
import type { PyroError } from "../../../contract/errors/errors.ts"
import { type Pushed, readPushed } from "../../../seeding/pushed.ts"
import { inodeOf } from "../../../system/files/entries.ts"
import { toHostError } from "../../../system/files/host-error.ts"
import type { LifecycleServices } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import { type Trees, workspaceTrees } from "../../life/baseline.ts"
import { openDiskReader, openReader, type Reader } from "../../life/reader.ts"

/** A side of a comparison: a workspace or a snapshot, in a guest that reads it. */
export interface Side extends Reader {
  readonly trees: Trees
  /** Pushed files, which count as part of the beginning for the ignore rules. */
  readonly pushed: Pushed
  /** Names the seed image: two of the same name began from the same. */
  readonly seed: string
}

/** Two names of one file are one seed image. Copies count as different, and the comparison finds them equal. */
const seedOf = (disk: string) =>
  Effect.mapBoth(inodeOf(`${disk}/seed.ext4`), { onSuccess: (inode) => inode ?? disk, onFailure: toHostError })

/** A side in a guest. The folder `directory` has the pushed files, `disk` the layers. */
const sideOf = (
  reader: Reader,
  { directory, disk }: { readonly directory: string; readonly disk: string }
): Effect.Effect<Side, PyroError> =>
  Effect.gen(function*() {
    return { ...reader, trees: workspaceTrees, pushed: yield* readPushed(directory), seed: yield* seedOf(disk) }
  })

/** A workspace in its current state; `isHeld` as in `openReader`. */
export const workspaceSide = (
  entry: Entry,
  isHeld: boolean
): Effect.Effect<Side, PyroError, Scope.Scope | LifecycleServices> =>
  Effect.gen(function*() {
    const reader = yield* openReader(entry, isHeld, "workspace.compare")
    const { disk } = yield* Ref.get(entry.record)
    return yield* sideOf(reader, { directory: entry.folder.directory, disk: entry.folder.disk(disk) })
  })

/** A disk at rest: no process may write its layers in the folder `disk` meanwhile. */
export const restingSide = (
  entry: Entry,
  folder: { readonly directory: string; readonly disk: string }
): Effect.Effect<Side, PyroError, Scope.Scope | LifecycleServices> =>
  Effect.flatMap(openDiskReader(entry, folder.disk), (reader) => sideOf(reader, folder))
