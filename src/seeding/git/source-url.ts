import { fileURLToPath } from "node:url"
import { publicUrl } from "../request.ts"

/** Source of a repository's fetch. */
export type SourceUrl =
  | {
    readonly _tag: "remote"
    /** URL for git, with credentials. Never shown. */
    readonly url: string
    /** URL for people and the guest. */
    readonly shown: string
    readonly protocols: ReadonlyArray<string>
  }
  | { readonly _tag: "local"; readonly path: string }
  | { readonly _tag: "refused"; readonly reason: string }

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/**
 * Parses a URL. https is allowed for every host, http for this host only, because http proves no origin. Paths and file: URLs name
 * the user's repositories, of which only objects are read. ssh would need the user's keys in a process that talks to a stranger:
 * users clone such a repository themselves and seed from its path.
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
