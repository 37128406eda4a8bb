import { fileURLToPath } from "node:url"
import { publicUrl } from "./safe-config.ts"

/** Where a repository is fetched from. */
export type SourceUrl =
  | {
    readonly _tag: "remote"
    /** As git gets it, credentials and all. Never to be shown. */
    readonly url: string
    /** As it may be shown, and as the guest knows it. */
    readonly shown: string
    readonly protocols: ReadonlyArray<string>
  }
  | { readonly _tag: "local"; readonly path: string }
  | { readonly _tag: "refused"; readonly reason: string }

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/**
 * What a URL asks for. https from anywhere; http from this host alone, since nothing vouches for what comes over it; paths
 * and file: URLs name repositories of the user, of which only the objects are read. ssh would need the user's keys in the
 * same process that speaks to a stranger: such a repository is cloned by its user and seeded from by its path.
 */
export const parseSource = (url: string): SourceUrl => {
  if (url.startsWith("/")) return { _tag: "local", path: url }
  if (url.startsWith("file:///")) return { _tag: "local", path: fileURLToPath(url) }
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const shown = publicUrl(url)
  if (parsed === undefined || shown === undefined || url.startsWith("-")) {
    return { _tag: "refused", reason: "it is no https URL and no absolute path" }
  }
  if (parsed.protocol === "https:") return { _tag: "remote", url, shown, protocols: ["https"] }
  if (parsed.protocol === "http:") {
    return loopback.test(parsed.hostname)
      ? { _tag: "remote", url, shown, protocols: ["http"] }
      : { _tag: "refused", reason: "http is only taken from this host; use https" }
  }
  return {
    _tag: "refused",
    reason: "only https is spoken; clone it yourself and seed from the clone with --seed-path"
  }
}
