import type { NameRules, Remedy } from "./judge.ts"
import type { Trust } from "./trust.ts"

/** Content of a registry, which decides which answers can be kept. */
export type RegistryKind =
  | "npm"
  | "pypi-index"
  | "pypi-files"
  | "debian"
  | "crates-index"
  | "crates-files"
  | "go"
  | "go-sums"
  | "maven"
  | "images"

/** Replaced in indexes, so that a client finds files in the cache too. */
export interface Link {
  readonly from: string
  readonly to: string
  /** Beginning of the `User-Agent` of clients that need the link. @default every client */
  readonly client?: string | undefined
}

/** A registry of packages, as one connection of a guest may use it through the cache. */
export interface CacheAccess {
  readonly kind: RegistryKind
  /** Hosts that the requests of the connection may name, in lower case. */
  readonly names: ReadonlyArray<string>
  readonly link?: Link | undefined
  /** Folder of the entries; made when it is absent. */
  readonly directory: string
  /** Maximum bytes of all entries together. */
  readonly maxBytes: number
  /** Bytes that the file system must have free beside a new entry. */
  readonly reserveBytes: number
  readonly trust: Trust
  /** Rules for the hosts to which a registry of images redirects a request for a layer. @default no redirect is followed */
  readonly redirects?: NameRules | undefined
  /** A registry that sends nothing for this time has failed, in ms. @default one minute */
  readonly silentMs?: number | undefined
}

/** Traffic of one connection through the cache. */
export interface Served {
  /** Address of the registry, or the proxy's `host:port`. Absent if the registry was not asked. */
  readonly address?: string | undefined
  /** Bytes of bodies that came from the registry. */
  readonly fetchedBytes: number
  /** Bytes of bodies that came from the disk. */
  readonly cachedBytes: number
  /** Why the registry's address is denied. */
  readonly denial?: { readonly detail: string; readonly remedy?: Remedy | undefined } | undefined
  /** Why a registry of images could not be reached. The guest sees an answer of the cache only. */
  readonly failure?: string | undefined
}

export const nothingServed: Served = { fetchedBytes: 0, cachedBytes: 0 }
