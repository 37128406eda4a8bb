import * as path from "node:path"
import type { HostCache } from "../../../lib/network/Dialler.ts"
import { judgeName } from "../../../lib/network/model/judge.ts"
import type { Paths } from "../../../system/files/Paths.ts"
import { settingNow } from "../../../system/settings/config.ts"
import type { HeaderSecrets } from "../header-secret/header-secrets.ts"
import { type Granted, isOn } from "../policy/policy.ts"
import { type ClientSettings, clientSettings, imageRegistry, type Registry, registryOf } from "./registries.ts"

const mib = 1024 * 1024
const BUILDER_FIRST_SECONDS = 10

/** Folder of the cache beneath the cache directory. */
export const downloadsFolder = (cacheDir: string) => path.join(cacheDir, "downloads")

const authorityOf = (host: string, port: number) => port === 80 || port === 443 ? host : `${host}:${port}`

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
  // The builder ends a silent pull first, and says why. This limit ends a pull that the builder does not end.
  const silentMs = (settingNow("PYRO_PULL_STALL_SECONDS") + BUILDER_FIRST_SECONDS) * 1000
  // A registry that gets a secret answers for one person alone. Registries of images are asked about each reader.
  const isUsed = ({ host, kind }: Registry) =>
    maxBytes > 0 && granted().policy.packageCache !== false && (kind === "images" || !secretHosts().includes(host))
  return {
    of: (name, port) => {
      const isImages = granted().policy.imageRegistries?.includes(`${name}:${port}`) === true
      const registry = isImages ? imageRegistry(name, port) : registryOf(name, port)
      if (registry === undefined || !isUsed(registry)) return undefined
      const { alias, host, kind, link } = registry
      return {
        registry,
        cache: {
          ...shared,
          ...(isImages ? { silentMs } : {}),
          kind,
          link,
          names: alias === undefined ? [authorityOf(host, port)] : [alias, host]
        }
      }
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
