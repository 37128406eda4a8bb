import { Context, Option } from "effect"
import type { FlagDoc, HelpDoc, SubcommandDoc, SubcommandGroupDoc } from "effect/cli/HelpDoc"
import { furtherTags } from "../../contract/rows/call-errors.ts"
import type { CliSurface } from "../../contract/rows/operation.ts"
import { type Operation, operations } from "../../contract/rows/operations.ts"
import { payloadDefaults, payloadFields } from "../../contract/rows/payload-fields.ts"
import { snakeCase } from "../../contract/text/snake.ts"
import { aliasHelp, GROUP } from "../arguments/aliases.ts"
import { flagsOf } from "../arguments/flags.ts"
import { type Command, commands } from "../rows/rows.ts"
import { Fails, Groups, helpText, Note } from "./help-text.ts"
import { firstGroups, type VerbGroups, workspaceGroups } from "./verb-groups.ts"

/** `pyro run <environment> [options] [[--] <command...>]`. */
export const usageOf = (operation: Command): string => {
  const cli: CliSurface = operation.cli
  const needed = new Set(payloadFields(operation.payload()).flatMap(({ name, required }) => required ? [name] : []))
  return [
    "pyro",
    ...cli.path,
    ...cli.args.map((name) => needed.has(name) ? `<${name}>` : `[${name}]`),
    ...(cli.argsOrFlags ?? []).map((name) => `[${name}]`),
    "[options]",
    ...(cli.rest === undefined ? [] : [`[${dashesOf(cli)} <${cli.rest}...>]`])
  ].join(" ")
}

/** A guest's command needs no dashes. Options of another pyro command need them. */
const dashesOf = ({ rest }: CliSurface) => rest === "serve_options" ? "--" : "[--]"

const HELP: FlagDoc = {
  name: "help",
  aliases: [],
  type: "boolean",
  description: Option.some("Show this help"),
  required: false
}

/** Replaces the fields that a text of the row names by the options that a person types. Fields of several words need no backticks. */
const withOptions = (operation: Command) => {
  const cli: CliSurface = operation.cli
  const options = flagsOf(operation).flatMap(({ field, name }) =>
    field === undefined || cli.args.includes(field.name) ? [] : [[field.name, `--${name}`] as const]
  )
  return (text: string) =>
    options.reduce(
      (before, [field, option]) => {
        const ticked = before.replaceAll(`\`${field}\``, option)
        return field.includes("_") ? ticked.replace(new RegExp(`(?<![\\w-])${field}(?!\\w)`, "g"), option) : ticked
      },
      text
    )
}

/** Codes of the errors that a command gives beside those of each call. */
const failures = ({ errors, name }: Command): ReadonlyArray<string> => {
  const row = operations.find((one: Operation) => one.name === name)
  return (row === undefined ? errors ?? [] : furtherTags(row)).map(snakeCase)
}

const operationHelp = (operation: Command): HelpDoc => {
  const cli: CliSurface = operation.cli
  const defaults = payloadDefaults(operation.payload())
  const typed = withOptions(operation)
  const described = (name: string, description: string) => {
    const value = defaults[name]
    return typeof value === "string" || typeof value === "number" ? `${description} [default: ${value}]` : description
  }
  return {
    description: typed(`${operation.summary}.\n\n${operation.description}`),
    usage: usageOf(operation),
    args: payloadFields(operation.payload())
      .filter(({ name }) => cli.args.includes(name) || cli.rest === name)
      .map(({ description, kind, name, required }) => ({
        name,
        type: cli.rest === name ? dashesOf(cli) : "",
        description: Option.some(typed(description)),
        required,
        variadic: kind._tag === "list"
      })),
    flags: flagsOf(operation).map(({ description, field, letter, name, repeated, required, value = "boolean" }) => ({
      name,
      aliases: letter === undefined ? [] : [`-${letter}`],
      type: value,
      description: Option.some(
        described(field?.name ?? "", typed(description)) + (repeated ? "; may be repeated" : "")
      ),
      required
    })),
    globalFlags: [HELP],
    annotations: Context.make(Groups, cli.groups ?? {}).pipe(Context.add(Fails, failures(operation))),
    examples: cli.examples.map((command) => ({ command }))
  }
}

/** Columns of help for a pipe or a file. */
const PLAIN_COLUMNS = 80
/** Bounds of the columns on a terminal: longer lines are hard to read, and shorter ones have no room for descriptions. */
const [LEAST_COLUMNS, MOST_COLUMNS] = [40, 100]

/** Columns of help: `COLUMNS`, else the terminal's, else 80. */
export const helpColumns = (variable: string | undefined, terminal: number | undefined): number => {
  const asked = Number(variable)
  const columns = Number.isInteger(asked) && asked > 0 ? asked : terminal ?? PLAIN_COLUMNS
  return Math.min(MOST_COLUMNS, Math.max(LEAST_COLUMNS, columns))
}

/** Help for the typed words, as text: one operation, a group, or all of pyro. */
export const help = (path: ReadonlyArray<string>, columns = PLAIN_COLUMNS): string =>
  helpText(documentOf(path), columns)

/** The same as a document. */
export const documentOf = (path: ReadonlyArray<string>): HelpDoc => {
  const own = beneathPath(path)
  // The workspace group may have verbs with the same first words.
  const beneath = path.length === 0 || path.length === own[0]?.cli.path.length
    ? own
    : [...own, ...beneathPath([GROUP, ...path])]
  // A group of one verb has nothing to list.
  const only = beneath.length === 1 ? beneath[0] : beneath.find((row) => row.cli.path.length === path.length)
  if (only !== undefined) return operationHelp(only)
  return path.length > 0
    ? listing({
      usage: `pyro ${path.join(" ")} <verb> [options]`,
      subcommands: grouped(
        beneath.map((row) => documented(behind(path, row), row.summary)),
        path.join(" ") === GROUP ? workspaceGroups : []
      ),
      note: [
        ...(path.join(" ") === GROUP ? [`${aliasHelp}.`] : []),
        ...(beneath.some(({ cli }) => (cli.args as ReadonlyArray<string>).includes("workspace"))
          ? ["If you omit the workspace, PYRO_WORKSPACE is used."]
          : []),
        `pyro ${path.join(" ")} <verb> --help shows the options.`
      ]
    })
    : listing({
      description: "pyro runs commands in disposable microVMs.",
      examples: [
        { command: "pyro run debian:12 git --version", description: "run one command in a new microVM" },
        { command: "pyro create --seed-path . --name fix", description: "create a workspace from this directory" },
        { command: "pyro create --dockerfile . --name app", description: "the same, as its Dockerfile says" },
        { command: "pyro exec fix python3 -m unittest", description: "run a command in the workspace" },
        { command: "pyro rewind fix", description: "undo the last command" },
        { command: "pyro export fix --apply", description: "make its changes in your own files" }
      ],
      subcommands: grouped(firstWords(), firstGroups),
      note: [
        `${aliasHelp}. Options: pyro <command> --help`,
        "Completion of words and names in your shell: pyro completion --help"
      ]
    })
}

const listing = ({ note, ...doc }: Partial<HelpDoc> & { readonly note: ReadonlyArray<string> }): HelpDoc => ({
  description: "",
  usage: "",
  flags: [],
  annotations: Context.make(Note, note.join("\n")),
  ...doc
})

/** The commands in their groups. Without groups, all are in one. */
const grouped = (all: ReadonlyArray<SubcommandDoc>, groups: VerbGroups): ReadonlyArray<SubcommandGroupDoc> =>
  (groups.length === 0 ? [[undefined, all.map(({ name }) => name)] as const] : groups).flatMap(([group, names]) => {
    const [first, ...others] = names.flatMap((name) => all.find((one) => one.name === name) ?? [])
    return first === undefined ? [] : [{ group, commands: [first, ...others] }]
  })

const documented = (name: string, description: string): SubcommandDoc => ({
  name,
  alias: undefined,
  shortDescription: undefined,
  description
})

const beneathPath = (path: ReadonlyArray<string>) =>
  commands.filter((row) => path.every((word, at) => row.cli.path[at] === word))

/** The words of a command after the typed ones, with or without the group that may be omitted. */
const behind = (path: ReadonlyArray<string>, { cli }: Command) =>
  cli.path.slice(path.length + (cli.path[0] === path[0] ? 0 : 1)).join(" ")

/** Summaries of the command groups. */
const groups = new Map([
  ["workspace", "Create, use and delete workspaces: all verbs"],
  ["network", "Set the network of a workspace, and show the lists of hosts"],
  ["env", "Manage the environments of microVMs"],
  ["daemon", "Manage the process that owns the workspaces"],
  ["mcp", "Serve workspaces to agents over MCP"],
  ["host", "Connect agent hosts such as Claude Code and Codex"],
  ["serve", "Let pyro on other machines use this one"],
  ["context", "Name other machines whose pyro you use from here"]
])

/** The purpose of the commands that begin with a word. */
export const groupSummary = (word: string): string | undefined => groups.get(word)

/** Each first word after `pyro`, then the verbs of workspaces that may be the first word. */
const firstWords = (): ReadonlyArray<SubcommandDoc> => {
  const first = new Map<string, string>()
  for (const { cli: { path: [word] }, summary } of commands) {
    if (!first.has(word)) first.set(word, groups.get(word) ?? summary)
  }
  for (const { cli: { path: [group, verb = "", ...more] }, summary } of commands) {
    if (group === GROUP && more.length === 0 && !first.has(verb)) first.set(verb, summary)
  }
  return Array.from(first, ([word, summary]) => documented(word, summary))
}
