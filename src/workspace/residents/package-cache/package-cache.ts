import { Effect, Option, Stream } from "effect"
import * as path from "node:path"
import type { GuestChannel } from "../../../guest-channel/GuestChannel.ts"
import type { HostCache } from "../../../network/Dialler.ts"
import { judgeName } from "../../../network/judge.ts"
import type { Paths } from "../../../system/files/Paths.ts"
import { settingNow } from "../../../system/settings/config.ts"
import type { HeaderSecrets } from "../header-secret/header-secrets.ts"
import { type Granted, isOn } from "../network/policy.ts"
import { type ClientSettings, clientSettings, type Registry, registryOf, withoutOwnLines } from "./registries.ts"

const mib = 1024 * 1024

/** Folder of the cache beneath the cache directory. */
export const downloadsFolder = (cacheDir: string) => path.join(cacheDir, "downloads")

/** A connection that the cache answers. */
export interface CachedConnection {
  readonly registry: Registry
  readonly cache: Omit<HostCache, "onEnd">
}

/** The cache of packages, as one guest uses it. */
export interface PackageCaching {
  /** How the cache answers a connection to a name; `undefined` for all others. */
  readonly of: (name: string, port: number) => CachedConnection | undefined
  /** Settings that the guest's clients need now. `undefined` for a guest that has no network. */
  readonly settings: () => ReadonlyArray<ClientSettings> | undefined
}

/** Reads the policy at each question. The registry itself is judged when it is dialled. */
export const packageCaching = (
  { cacheDir }: Pick<Paths["Service"], "cacheDir">,
  granted: () => Granted,
  secretHosts: HeaderSecrets["hosts"]
): PackageCaching => {
  const maxBytes = settingNow("PYRO_PACKAGE_CACHE_MIB") * mib
  const shared = {
    directory: downloadsFolder(cacheDir),
    maxBytes,
    reserveBytes: settingNow("PYRO_DISK_RESERVE_MIB") * mib
  }
  // A registry that gets a secret answers for one person alone.
  const isUsed = ({ host }: Registry) =>
    maxBytes > 0 && granted().policy.packageCache !== false && !secretHosts().includes(host)
  return {
    of: (name, port) => {
      const registry = registryOf(name, port)
      if (registry === undefined || !isUsed(registry)) return undefined
      const { alias, host, kind, link } = registry
      return { registry, cache: { ...shared, kind, link, names: alias === undefined ? [host] : [alias, host] } }
    },
    settings: () => {
      const { rules } = granted()
      if (!isOn(granted())) return undefined
      const mayReach = ({ host, port }: Pick<Registry, "host" | "port">) =>
        judgeName(rules, host, port)._tag === "Allowed"
      return clientSettings.filter(({ registries, unlessAllowed }) =>
        registries.every((one) => isUsed(one) && mayReach(one)) &&
        (unlessAllowed === undefined || !mayReach(unlessAllowed))
      )
    }
  }
}

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
  // A setting of the user or the project comes first.
  const next = wanted === undefined ? foreign : foreign.trim() === "" ? wanted : found
  return next === found ? undefined : next
}

/** Writes one file, or removes pyro's lines from it. */
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

/** Points the guest's clients to the cache, by the present policy. A guest without a network stays as it is. */
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
