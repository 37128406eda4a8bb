import { readCeiling } from "../../contract/rows/network-ceiling.ts"
import { isImagePattern } from "../../contract/text/image-reference.ts"
import type { ProjectOptions } from "../../sdk/project-directories.ts"
import type { SelectionName } from "../profile.ts"
import type { RecordedFlag } from "./recorded.ts"

export interface Understood {
  readonly selection: SelectionName
  readonly options: ProjectOptions
}

/** Directories. The server's own check follows, so any value is accepted here. */
const DIRECTORIES: ReadonlySet<string> = new Set(["projectPath", "allowRead", "allowExport"])
/** Values that every schema of a URL, a name or a glob accepts. */
const HARMLESS = /^[\w@+:~*][\w@+:~*,./=-]{0,1000}$/

const isHarmless = (value: string) => HARMLESS.test(value) && !/(^|\/)\.\.(\/|$)/.test(value)

const workspaceUserOf = (value: string | undefined) => value === "agent" || value === "root" ? value : undefined

/** The words after `pyro mcp serve`, if the parser of the command line certainly accepts each of them; else undefined. */
export const understood = (
  words: ReadonlyArray<string>,
  flags: ReadonlyArray<RecordedFlag>
): Understood | undefined => {
  const given = new Map<string, Array<string>>()
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    const equals = word.indexOf("=")
    const flag = flags.find(({ name }) => name === (equals < 0 ? word : word.slice(0, equals)))
    if (flag === undefined) return undefined
    const { field, takes } = flag
    // The grammar of hosts, and the environment with the values, belong to the command line.
    if (field === "secretHttp" || field === "secretCommands") return undefined
    if (given.has(field) && takes !== "list") return undefined
    if (takes === "nothing") {
      if (equals >= 0) return undefined
      given.set(field, [])
      continue
    }
    const value = equals < 0 ? words[++at] : word.slice(equals + 1)
    if (value === undefined || value === "" || (equals < 0 && value.startsWith("-"))) return undefined
    const isRight = typeof takes !== "string"
      ? takes.includes(value)
      : DIRECTORIES.has(field)
      ? !value.includes("\0")
      : isHarmless(value) && (field !== "networkCeiling" || readCeiling(value) !== undefined) &&
        (field !== "allowImages" || isImagePattern(value))
    if (!isRight) return undefined
    given.set(field, [...given.get(field) ?? [], value])
  }
  if (given.has("profile") && given.has("mode")) return undefined
  const [selection = "workspace-core"] = given.get("mode") ?? given.get("profile") ?? []
  return {
    selection: selection as SelectionName,
    options: {
      projectPath: given.get("projectPath")?.[0],
      repoUrl: given.get("repoUrl")?.[0],
      repoRef: given.get("repoRef")?.[0],
      allowRead: given.get("allowRead") ?? [],
      allowExport: given.get("allowExport") ?? [],
      environment: given.get("environment")?.[0],
      workspaceUser: workspaceUserOf(given.get("workspaceUser")?.[0]),
      networkCeiling: given.get("networkCeiling")?.[0]
    }
  }
}
