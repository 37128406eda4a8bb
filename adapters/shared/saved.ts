import type { CreateOptions, PyroClient, Workspace } from "pyro/promises"

/** A new workspace takes these from its saved snapshot. */
const SOURCES: ReadonlySet<string> = new Set(["allowHome", "git", "includeIgnored", "repoRef", "repoUrl", "seedPath"])

/** A workspace that starts from a saved snapshot: from its files alone where its memory cannot continue. */
export const createFrom = async (client: PyroClient, name: string, options: CreateOptions): Promise<Workspace> => {
  const saved = await client.saved.get(name, { signal: options.signal })
  const own = Object.fromEntries(Object.entries(options).filter(([field]) => !SOURCES.has(field)))
  return client.create({ ...own, fromSnapshot: name, diskOnly: saved !== null && saved.differences.length > 0 })
}
