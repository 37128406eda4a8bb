import { Effect, Option, Stream } from "effect"
import type { GuestChannel } from "../../../guest-channel/GuestChannel.ts"
import type { PackageCaching } from "./package-cache.ts"
import { clientSettings, withoutOwnLines } from "./registries.ts"

/** Larger files of settings are left alone. */
const READ_BYTES = 65_536

type Files = Pick<GuestChannel, "read" | "write">

const textOf = ({ read }: Files, file: string) =>
  Stream.runCollect(read({ root: "/", path: file, limit: READ_BYTES })).pipe(
    Effect.map((pieces) => Option.some(Buffer.concat([...pieces]).toString())),
    Effect.catchTag(
      "AgentCallFailed",
      (failure) => failure.errno === "ENOENT" ? Effect.succeed(Option.none<string>()) : failure
    )
  )

/** The text that a file of settings gets; `undefined` for a file that stays as it is. */
const nextText = (found: string | undefined, wanted: string | undefined): string | undefined => {
  if (found === undefined) return wanted
  if (found.length >= READ_BYTES) return undefined
  const foreign = withoutOwnLines(found)
  // A setting of somebody else comes first.
  const next = wanted === undefined ? foreign : foreign.trim() === "" ? wanted : found
  return next === found ? undefined : next
}

/** Writes one file, or takes pyro's lines out of it. */
const settle = (files: Files, file: string, wanted: string | undefined) =>
  Effect.flatMap(textOf(files, file), (found) => {
    const next = nextText(Option.getOrUndefined(found), wanted)
    return next === undefined ? Effect.void : files.write(
      { root: "/", path: file, mode: 0o644, createParents: true },
      Stream.make(Buffer.from(next))
    )
  }).pipe(
    // A root that is read-only or full keeps its settings: its clients then ask the registries themselves.
    Effect.catchTag(
      "AgentCallFailed",
      ({ message }) => Effect.logWarning(`the settings in /${file} cannot be written: ${message}`)
    )
  )

const settleAll = (files: Files, wanted: ReturnType<PackageCaching["settings"]>) =>
  Effect.forEach(
    clientSettings.flatMap((settings) =>
      settings.paths.map((file) => ({ file, text: wanted?.includes(settings) === true ? settings.text : undefined }))
    ),
    ({ file, text }) => settle(files, file, text),
    // All go in one round trip.
    { concurrency: "unbounded", discard: true }
  )

/** Leads the guest's clients to the cache as the policy is now. A guest without a network is left as it is. */
export const settleClients = (channel: Files, caching: PackageCaching): Effect.Effect<void> =>
  Effect.suspend(() => {
    const wanted = caching.settings()
    return wanted === undefined ? Effect.void : Effect.ignoreCause(settleAll(channel, wanted))
  })

/** Settles each guest once, before its next command, and again after a change of the policy. */
export const makeClients = (caching: PackageCaching) => {
  let settled = new WeakSet<object>()
  return {
    before: (channel: Files): Effect.Effect<void> =>
      Effect.suspend(() =>
        settled.has(channel) ? Effect.void : Effect.map(settleClients(channel, caching), () => {
          settled.add(channel)
        })
      ),
    changed: () => {
      settled = new WeakSet()
    }
  }
}
