import type { ProfileName } from "../contract/agent-host.ts"
import type { Profile } from "../contract/operation.ts"
import { operations } from "../contract/operations.ts"
import type { Tools } from "./agent-host.ts"

/** Profiles of `pyro mcp serve`, and how the table of operations names them. */
const profiles: { readonly [Name in ProfileName]: Profile } = {
  "vm-run": "vm-run",
  "workspace-core": "core",
  "workspace-full": "full"
}

/** The tools of a profile. Exports write to the host and deletions are final, so a person decides about them. */
export const toolsOf = (profile: ProfileName): Tools => {
  const inProfile: Profile = profiles[profile]
  const names = operations.flatMap(({ mcp }) =>
    "tool" in mcp && (mcp.profiles as ReadonlyArray<Profile>).includes(inProfile) ? [mcp.tool as string] : []
  )
  const isAsked = (name: string) => /_(export|delete)$/.test(name)
  return { safe: names.filter((name) => !isAsked(name)), asked: names.filter(isAsked) }
}
