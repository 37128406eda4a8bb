import type { RecordedFlag } from "../mcp/handshake/recorded.ts"
import { mcpServe } from "./commands.ts"
import { type Flag, flagsOf } from "./flags.ts"

const camelCase = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

const takes = ({ field, repeated, value }: Flag): RecordedFlag["takes"] => {
  if (value === undefined) return "nothing"
  if (field?.kind._tag === "choice") return field.kind.choices
  return repeated ? "list" : "text"
}

/** The options of `pyro mcp serve`, for a reader that has no table of commands. */
export const recordedFlags = (): ReadonlyArray<RecordedFlag> =>
  flagsOf(mcpServe).flatMap((flag) =>
    flag.field === undefined
      ? []
      : [{ name: `--${flag.name}`, field: camelCase(flag.field.name), takes: takes(flag) }]
  )
