import { Effect } from "effect"
import type { GuestChannel } from "../../src/lib/guest-channel/GuestChannel.ts"
import type { ChangesOptions } from "../../src/workspace/content/diff/changes.ts"
import { changesOptions, type DiffSelection } from "../../src/workspace/content/diff/diff.ts"
import { wholePatch } from "../support/workspace/whole-patch.ts"
import { changesOf } from "./whole-changes.ts"

/** The whole patch, as an export has it. */
export const diffPatch = (
  channel: GuestChannel,
  selection: DiffSelection,
  overrides: Pick<ChangesOptions, "trees" | "pushed">
) =>
  Effect.gen(function*() {
    const options = { ...(yield* changesOptions(selection)), ...overrides }
    return Buffer.from(yield* wholePatch(yield* changesOf(channel, options)))
  })
