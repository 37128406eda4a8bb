import { type CliSurface, lazy, type McpSurface } from "../contract/rows/operation.ts"
import { type Operation, operations } from "../contract/rows/operations.ts"
import { payloadFields } from "../contract/rows/payload-fields.ts"
import type { Argument } from "./arguments.ts"
import type { ToolRow } from "./profile.ts"

/** The tool and the server of a text. */
export interface ToolContext {
  readonly args: ReadonlyArray<Argument>
  readonly row?: ToolRow
  /** Names of the server's tools. @default every tool */
  readonly there?: ReadonlySet<string>
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

/** A command that changes the network of a workspace, to the end of its line. */
const NETWORK_SET = /\bpyro network set \S+ (?=--)(.*)/g
const SET_TOOL = "workspace_network_set"

/** Options of the tool that changes a network. */
const SET_OPTIONS: ReadonlyMap<string, string> = new Map([...NETWORK_OPTIONS, ["deny-host", "deny_hosts"], [
  "allow-once",
  "allow_once"
]])

const FLAG = /(?<![\w-])--([a-z]+(?:-[a-z]+)*)/g

const fieldOf = (words: string) => words.replaceAll("-", "_")

/** Fields that a command has an option for. The option of a list has the name of one entry: --allow-ip for allow_ips. */
const optionsOf = ({ cli, payload }: Pick<Operation, "cli" | "payload">): ReadonlyArray<string> => {
  const { extras = {} }: CliSurface = cli
  const fields = payloadFields(payload()).map(({ name }) => name)
  return [...fields, ...fields.map((name) => name.replace(/s$/, "")), ...Object.keys(extras).map(fieldOf)]
}

/** Options of all commands. */
const everyOption = lazy(() => new Set(operations.flatMap(optionsOf)))

/** Whether a text names an option that only the user can give. */
export const namesUsersOption = (text: string, { args, row }: ToolContext): boolean => {
  const own = row === undefined ? [] : optionsOf(row)
  return [...text.matchAll(FLAG)].map(([, words = ""]) => fieldOf(words)).some((field) =>
    own.includes(field) && !args.some((one) => one.field === field)
  )
}

/** `--overwrite` as a model gives it: `overwrite: true`. */
const optionText = (flag: string, words: string, { args }: ToolContext) => {
  const argument = args.find(({ field }) => field === fieldOf(words))
  if (argument !== undefined) return argument.schema.type === "boolean" ? `${argument.name}: true` : argument.name
  const ofNetwork = NETWORK_OPTIONS.get(words)
  if (ofNetwork !== undefined) return ofNetwork
  if (SERVER_OPTIONS.has(fieldOf(words))) return `the server's option ${words}`
  return everyOption().has(fieldOf(words)) ? `the user's option ${words}` : flag
}

interface Command {
  readonly words: string
  /** The words without the program's name, and with the group that may be omitted. */
  readonly full: string
  readonly tool: string | undefined
}

/** Commands by their typed words, with their tool, the longest first. All other commands are for the user to type. */
const commands: ReadonlyArray<Command> = operations
  .flatMap(({ cli: { path }, mcp }: { readonly cli: CliSurface; readonly mcp: McpSurface | object }) => {
    const tool = "tool" in mcp ? mcp.tool : undefined
    const words = path.join(" ")
    if (path[0] !== "workspace") return tool === undefined ? [] : [{ words: `pyro ${words}`, full: words, tool }]
    // The group may be omitted.
    return [words, path.slice(1).join(" ")].map((one) => ({ words: `pyro ${one}`, full: words, tool }))
  })
  .sort((a, b) => b.words.length - a.words.length)

const everyTool = new Set(commands.map(({ tool }) => tool))

const TOOL = /\b[a-z]+(?:_[a-z]+)+\b/g

/** Whether a server has each tool that a text names. */
export const hasToolsOf = (text: string, { there }: ToolContext): boolean =>
  there === undefined || (text.match(TOOL) ?? []).every((word) => !everyTool.has(word) || there.has(word))

const COMMAND = /(`?)\b(pyro [a-z]+(?: [a-z]+)*)/g

/** Replaces commands of pyro by their tools, or by `the user's command` if the server has no such tool. */
const commandsAsTools = (text: string, tool: ToolContext) =>
  text.replace(COMMAND, (whole, tick: string, command: string) => {
    const found = commands.find(({ words }) => command === words || command.startsWith(`${words} `))
    if (found === undefined) return whole
    const rest = command.slice(found.words.length)
    return found.tool !== undefined && hasToolsOf(found.tool, tool)
      ? tick + found.tool + rest
      : `the user's command ${tick}${found.full}${rest}`
  })

/** Replaces changes of a network by calls, if the server has the tool and a model may give each option; else by the options. */
const networkSets = (text: string, tool: ToolContext) =>
  text.replace(NETWORK_SET, (command: string, options: string) => {
    const isModels = [...options.matchAll(FLAG)].every(([, words = ""]) => SET_OPTIONS.has(words))
    if (!isModels || !hasToolsOf(SET_TOOL, tool)) return options
    return command.replace("pyro network set", SET_TOOL).replace(FLAG, (_, words: string) => SET_OPTIONS.get(words)!)
  })

/** A page of the documents in parentheses, which a model cannot read. */
const PAGE = / \(docs\/[\w/-]+\.md\)/g

/** Foreign words in a text of pyro: a command of the guest. In ASCII, since the bundle is read as Latin-1. */
const QUOTED = /\u201c[^\u201d]*\u201d/g

/** A text of pyro in a model's words: tools for commands, arguments for options, and no pages of the documents. Leaves “quoted” words as they are. */
export const inToolWords = (text: string, tool: ToolContext): string => {
  const quoted = [...text.match(QUOTED) ?? []]
  return ownWords(text.replace(QUOTED, "“”"), tool).replace(QUOTED, () => quoted.shift() ?? "")
}

const ownWords = (text: string, tool: ToolContext): string => {
  if (!text.includes("--") && !text.includes("pyro ") && !text.includes("docs/")) return text
  const set = networkSets(text.replace(PAGE, ""), tool)
  return commandsAsTools(set, tool).replace(FLAG, (flag, words: string) => optionText(flag, words, tool)) +
    elsewhere(set, tool)
}

/** If a tool's text names an argument of other tools, says which tools have it, and who decides. */
const elsewhere = (text: string, { args }: ToolContext): string => {
  const names = [...text.matchAll(FLAG)].flatMap(([, words = ""]) => NETWORK_OPTIONS.get(words) ?? [])
  const others = [...new Set(names)].filter((name) => !args.some((one) => one.name === name))
  return others.length === 0
    ? ""
    : ` (${
      others.join(" and ")
    }: an argument where a VM is made, within what the user allows by the server's option network-ceiling)`
}
