import type { ProfileName, SelectionName } from "../../contract/rows/agent-host.ts"
import { modeOf } from "../../contract/rows/modes.ts"
import type { Profile } from "../../contract/rows/operation.ts"
import { operations } from "../../contract/rows/operations.ts"
import type { Tools } from "../hosts/agent-host.ts"

/** Profiles of `pyro mcp serve`, and how the table of operations names them. */
const profiles: { readonly [Name in ProfileName]: Profile } = {
  "vm-run": "vm-run",
  "workspace-core": "core",
  "workspace-full": "full"
}

const namesOf = (selection: SelectionName): ReadonlyArray<string> => {
  const mode = modeOf(selection)
  const inProfile = profiles[selection as ProfileName]
  return operations.flatMap(({ mcp }) =>
    "tool" in mcp &&
      (mode === undefined
        ? (mcp.profiles as ReadonlyArray<Profile>).includes(inProfile)
        : Object.hasOwn(mode.tools, mcp.tool))
      ? [mcp.tool as string]
      : []
  )
}

/** The tools of a server. Exports write to the host and deletions are final, so a person decides about them. */
export const toolsOf = (selection: SelectionName): Tools => {
  const names = namesOf(selection)
  const isAsked = (name: string) => /_(export|delete)$/.test(name)
  return { safe: names.filter((name) => !isAsked(name)), asked: names.filter(isAsked) }
}
