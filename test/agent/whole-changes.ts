import { Effect } from "effect"
import type { GuestChannel } from "../../src/lib/guest-channel/GuestChannel.ts"
import { type ChangesOptions, collectChanges, wholeChanges } from "../../src/workspace/content/diff/changes.ts"

/** The changes of an export, with every content. */
export const changesOf = (channel: GuestChannel, options: ChangesOptions = {}) =>
  Effect.flatMap(collectChanges(channel, options), wholeChanges)
