import type { Seen } from "../live/workspaces.ts"

const haystack = ({ workspace }: Seen) =>
  [
    workspace.name ?? "",
    workspace.id,
    workspace.state,
    workspace.environment,
    workspace.project ?? workspace.seedPath ?? "",
    ...Object.entries(workspace.labels).map(([key, value]) => `${key}=${value}`)
  ].join("\n").toLowerCase()

/** The workspaces that contain every word of a filter in name, id, state, environment, project or a label as KEY=VALUE. */
export const filtered = (all: Iterable<Seen>, filter: string): ReadonlyArray<Seen> => {
  const words = filter.toLowerCase().split(/\s+/).filter((word) => word !== "")
  const found = [...all]
  return words.length === 0 ? found : found.filter((one) => {
    const text = haystack(one)
    return words.every((word) => text.includes(word))
  })
}
