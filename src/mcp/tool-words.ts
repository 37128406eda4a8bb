import type { CliSurface, McpSurface } from "../contract/operation.ts"
import { operations } from "../contract/operations.ts"
import { payloadFields } from "../contract/payload-fields.ts"
import type { Argument } from "./arguments.ts"
import type { ToolRow } from "./profile.ts"

/** What a text is told about. */
export interface ToolContext {
  readonly args: ReadonlyArray<Argument>
  readonly row?: ToolRow
  /** Names of the server's tools, if a mode chose them. */
  readonly inMode?: ReadonlySet<string>
}

/** Options of `pyro mcp serve` that errors name. */
const SERVER_OPTIONS: ReadonlySet<string> = new Set([
  "project_path",
  "allow_read",
  "allow_export",
  "all_workspaces",
  "include_ignored",
  "environment",
  "network_ceiling"
])

/** Options of a network that a model may ask for, as arguments of the tools that make a VM or set its network. */
const NETWORK_OPTIONS: ReadonlyMap<string, string> = new Map([
  ["allow-host", "allow_hosts"],
  ["network-policy", "network_policy"]
])

const FLAG = /(?<![\w-])--([a-z]+(?:-[a-z]+)*)/g

const fieldOf = (words: string) => words.replaceAll("-", "_")

/** Options of the tool's command that are no argument of the tool: what they do is the user's to decide. */
const ofUser = ({ args, row }: ToolContext): ReadonlySet<string> => {
  if (row === undefined) return new Set()
  const { extras = {} }: CliSurface = row.cli
  const fields = [...payloadFields(row.payload()).map(({ name }) => name), ...Object.keys(extras).map(fieldOf)]
  return new Set(fields.filter((field) => !args.some((one) => one.field === field)))
}

/** Whether a text names an option that only the user can give. */
export const namesUsersOption = (text: string, tool: ToolContext): boolean => {
  const own = ofUser(tool)
  return [...text.matchAll(FLAG)].some(([, words = ""]) => own.has(fieldOf(words)))
}

/** `--overwrite` as a model gives it: `overwrite: true`. */
const optionText = (flag: string, words: string, tool: ToolContext, own: ReadonlySet<string>) => {
  const argument = tool.args.find(({ field }) => field === fieldOf(words))
  if (argument !== undefined) return argument.schema.type === "boolean" ? `${argument.name}: true` : argument.name
  const ofNetwork = NETWORK_OPTIONS.get(words)
  if (ofNetwork !== undefined) return ofNetwork
  // No ceiling lets a model ask for an address.
  if (own.has(fieldOf(words)) || words === "allow-ip") return `the user's option ${words}`
  return SERVER_OPTIONS.has(fieldOf(words)) ? `the server's option ${words}` : flag
}

/** Commands by the words that are typed, with the tool that does the same. The longest first. */
const toolsByCommand = operations
  .flatMap(({ cli, mcp }: { readonly cli: CliSurface; readonly mcp: McpSurface | object }) =>
    "tool" in mcp ? [{ words: `pyro ${cli.path.join(" ")}`, tool: mcp.tool }] : []
  )
  .sort((a, b) => b.words.length - a.words.length)

const everyTool = new Set(toolsByCommand.map(({ tool }) => tool))

/** Says which of the tools that a text names the server of a mode does not have. */
export const missingTools = (text: string, { inMode }: ToolContext): string => {
  if (inMode === undefined) return ""
  const words = new Set(text.match(/[a-z]+(?:_[a-z]+)+/g) ?? [])
  const missing = [...words].filter((word) => everyTool.has(word) && !inMode.has(word))
  return missing.length === 0 ? "" : ` (this server has no ${missing.join(", no ")})`
}

const COMMAND = /\bpyro [a-z]+(?: [a-z]+)*/g

/** Commands of pyro as the tools that do the same. */
const commandsAsTools = (text: string) =>
  text.replace(COMMAND, (command) => {
    const found = toolsByCommand.find(({ words }) => command === words || command.startsWith(`${words} `))
    return found === undefined ? command : found.tool + command.slice(found.words.length)
  })

/** A text of pyro's own without words of the command line: tools for commands, arguments for options. */
export const inToolWords = (text: string, tool: ToolContext): string => {
  if (!text.includes("--") && !text.includes("pyro ")) return text
  const own = ofUser(tool)
  const told = commandsAsTools(text).replace(FLAG, (flag, words: string) => optionText(flag, words, tool, own))
  return told + elsewhere(text, tool)
}

/** Where a tool's text names an argument of other tools, says of which, and who decides. */
const elsewhere = (text: string, { args }: ToolContext): string => {
  const names = [...text.matchAll(FLAG)].flatMap(([, words = ""]) => NETWORK_OPTIONS.get(words) ?? [])
  const others = [...new Set(names)].filter((name) => !args.some((one) => one.name === name))
  return others.length === 0
    ? ""
    : ` (${
      others.join(" and ")
    }: an argument where a VM is made, within what the user allows by the server's option network-ceiling)`
}
