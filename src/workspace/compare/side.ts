import { Effect, Ref, type Scope } from "effect"
import * as fs from "node:fs"
import type { PyroError } from "../../contract/errors.ts"
import { type DiskSource, readWorkspaceDisk } from "../../disk/workspace-disk.ts"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import type { Guest } from "../../vm/guest.ts"
import { explainChannelFailure } from "../boot.ts"
import { type Trees, workspaceTrees } from "../diff/baseline.ts"
import { inspectedTrees, openInspector } from "../inspector.ts"
import type { LifecycleServices } from "../lifecycle/context.ts"
import { explainEnd } from "../lifecycle/explain-end.ts"
import type { Generation } from "../lifecycle/generation.ts"
import type { Entry } from "../lifecycle/registry.ts"
import { virtualBytesOf } from "../lifecycle/steps.ts"
import { type Pushed, readPushed } from "../seed/pushed.ts"

/** What can be compared: a workspace, or a snapshot of one, in a guest that reads it. */
export interface Side {
  readonly channel: GuestChannel
  readonly trees: Trees
  /** What was pushed: to the ignore rules it is part of the beginning. */
  readonly pushed: Pushed
  /** Names the seed image: two of the same name began from the same. */
  readonly seed: string
  /** Gives a lost channel its cause. */
  readonly explain: <A>(effect: Effect.Effect<A, PyroError>) => Effect.Effect<A, PyroError>
}

/** Two names of one file are one seed image; copies count as different ones and are found to be the same. */
const seedOf = (disk: string) =>
  Effect.sync(() => {
    const stat = fs.statSync(`${disk}/seed.ext4`, { bigint: true, throwIfNoEntry: false })
    return stat === undefined ? disk : `${stat.dev}:${stat.ino}`
  })

const explaining = (guest: Guest): Side["explain"] => (effect) => explainChannelFailure(guest)(effect)

/** A workspace that runs, by its own channel. */
export const runningSide = (entry: Entry, generation: Generation): Effect.Effect<Side, PyroError> =>
  Effect.gen(function*() {
    const { channel } = generation
    const { disk } = yield* Ref.get(entry.record)
    const pushed = yield* readPushed(entry.folder.directory)
    const seed = yield* seedOf(entry.folder.disk(disk))
    return { channel, trees: workspaceTrees, pushed, seed, explain: explainEnd({ entry, generation }) }
  })

/**
 * What does not run, in an inspector: the layers in the folder `disk`, which nobody may write meanwhile, and what was pushed into the
 * folder `directory`.
 */
export const inspectedSide = (
  entry: Entry,
  { directory, disk }: { readonly directory: string; readonly disk: string }
): Effect.Effect<Side, PyroError, Scope.Scope | LifecycleServices> =>
  Effect.gen(function*() {
    const record = yield* Ref.get(entry.record)
    const { layers, seed, top } = yield* readWorkspaceDisk(disk, virtualBytesOf(record))
    const source: DiskSource = { seed, layers: [...layers, top] }
    const guest = yield* openInspector(entry, source)
    return {
      channel: guest.channel,
      trees: inspectedTrees,
      pushed: yield* readPushed(directory),
      seed: yield* seedOf(disk),
      explain: explaining(guest)
    }
  })
