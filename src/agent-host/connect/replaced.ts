import { at, type Change, isEqual, isTable, type Json, type Path } from "../format/json.ts"
import { type AgentHost, ENTRY } from "../hosts/agent-host.ts"
import type { HostFileRecord, Replaced } from "./record.ts"

/** Keys of an entry for a server at an address, with which a host refuses a command beside. */
export const ADDRESS = /^(url|uri|http_?url|server_?url|(env_)?(http_)?headers|bearer_token(_env_var)?|oauth.*|auth)$/i

/** Whether an entry with pyro's name is for another program, or for a server at an address. */
export const isForeign = (host: AgentHost, entry: unknown): boolean => {
  const words = host.commandOf(entry)
  if (words !== undefined) return !words.some((word, index) => word === "mcp" && words[index + 1] === "serve")
  return isTable(entry) && Object.keys(entry).some((key) => ADDRESS.test(key))
}

/** What a record has to keep once pyro's entry stands at the path: the foreign entry that was there, now or before pyro's first change. */
export const replacedBy = (
  host: AgentHost,
  path: Path,
  found: unknown,
  record: HostFileRecord | undefined
): Replaced | undefined => {
  if (found === undefined) return undefined
  if (!isForeign(host, found)) return record?.replaced
  // A date of TOML would come back as a text.
  return isEqual(JSON.parse(JSON.stringify(found)), found) ? { path, value: found } : undefined
}

/** The entry as it was before pyro replaced it; undefined where pyro replaced none. */
export const restoring = (
  path: Path,
  found: unknown,
  record: HostFileRecord | undefined
): ReadonlyArray<Change> | undefined => {
  const { replaced } = record ?? {}
  if (replaced === undefined || !isEqual(replaced.path, path)) return undefined
  const { value } = replaced
  if (!isTable(value) || !isTable(found)) return [{ _tag: "set", path, value: value as Json }]
  return [
    ...Object.entries(value).map(([key, one]): Change => ({ _tag: "set", path: [...path, key], value: one })),
    ...Object.keys(found).filter((key) => at(value, [key]) === undefined)
      .map((key): Change => ({ _tag: "remove", path: [...path, key] }))
  ]
}

export const foreignNote = ({ title }: AgentHost) => `the entry ${ENTRY} of ${title} is not for this pyro, and stays`
