import type { Installation } from "../installation.ts"

interface Entry {
  readonly outcome: "allowed" | "denied" | "failed"
  readonly host: string
}

/** Reads the network log of a workspace: each call gives the hosts of the connections since the last call, by outcome. */
export const newHosts = (pyro: Installation, name: string) => {
  let seen = 0
  return async () => {
    const { entries } = await pyro.json<{ readonly entries: ReadonlyArray<Entry> }>(
      ["workspace", "network", "log", name, "--limit", "1000"]
    )
    const added = entries.slice(seen)
    seen = entries.length
    const hostsOf = (wanted: Entry["outcome"]) =>
      [...new Set(added.filter(({ outcome }) => outcome === wanted).map(({ host }) => host))].sort()
    return { allowed: hostsOf("allowed"), denied: hostsOf("denied"), failed: hostsOf("failed") }
  }
}
