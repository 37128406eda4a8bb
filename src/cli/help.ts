import type { CliSurface } from "../contract/operation.ts"
import { payloadDefaults, payloadFields } from "../contract/payload-fields.ts"
import { aliasHelp } from "./aliases.ts"
import { type Command, commands } from "./commands.ts"
import { type Flag, flagsOf } from "./flags.ts"
import { unitHelp } from "./units.ts"

/** `pyro run <environment> [options] [-- <command...>]`. */
export const usageOf = (operation: Command): string => {
  const cli: CliSurface = operation.cli
  const needed = new Set(payloadFields(operation.payload()).flatMap(({ name, required }) => required ? [name] : []))
  return [
    "pyro",
    ...cli.path,
    ...cli.args.map((name) => needed.has(name) ? `<${name}>` : `[${name}]`),
    ...(cli.argsOrFlags ?? []).map((name) => `[${name}]`),
    "[options]",
    ...(cli.rest === undefined ? [] : [`[-- <${cli.rest}...>]`])
  ].join(" ")
}

const operationHelp = (operation: Command): string => {
  const cli: CliSurface = operation.cli
  const defaults = payloadDefaults(operation.payload())
  const described = (name: string, description: string) => {
    const value = defaults[name]
    return typeof value === "string" || typeof value === "number" ? `${description} [default: ${value}]` : description
  }
  const args = payloadFields(operation.payload())
    .filter(({ name }) => cli.args.includes(name) || cli.rest === name)
    .map((field): Row => [cli.rest === field.name ? `-- <${field.name}...>` : `<${field.name}>`, field.description])
  const given = flagsOf(operation)
  const flags = given.map(({ description, field, letter, name, repeated, value }): Row => [
    `${letter === undefined ? "" : `-${letter}, `}--${name}${value === undefined ? "" : ` ${value}`}`,
    described(field?.name ?? "", description) + (repeated ? "; may be repeated" : "")
  ])
  return [
    `${operation.summary}.`,
    "",
    wrapped(operation.description, 0),
    "",
    "Usage",
    `  ${usageOf(operation)}`,
    ...(args.length === 0 ? [] : ["", "Arguments", ...table(args)]),
    "",
    "Options",
    ...table([...flags, ["--help", "Show this"]]),
    ...unitLines(given),
    "",
    "Examples",
    ...cli.examples.map((example) => `  ${example}`),
    ""
  ].join("\n")
}

/** What the values with a unit look like. */
const unitLines = (flags: ReadonlyArray<Flag>): ReadonlyArray<string> => {
  const lines = Object.values(unitHelp).flatMap((unit) =>
    flags.some(({ value }) => value === unit.value) ? [unit.line] : []
  )
  return lines.length === 0 ? [] : ["", ...lines.map((line) => `  ${line}`)]
}

/** Help for the words typed so far: one operation, a group, or all of pyro. */
export const help = (path: ReadonlyArray<string>): string => {
  const beneath = commands.filter((row) => path.every((word, at) => row.cli.path[at] === word))
  // A group of one verb has nothing to list.
  const only = beneath.length === 1 ? beneath[0] : beneath.find((row) => row.cli.path.length === path.length)
  if (only !== undefined) return operationHelp(only)
  return path.length > 0
    ? [
      "Usage",
      `  pyro ${path.join(" ")} <verb> [options]`,
      "",
      "Verbs",
      ...table(beneath.map((row): Row => [row.cli.path.slice(path.length).join(" "), row.summary])),
      "",
      ...(path[0] === "workspace"
        ? ["If you omit the workspace, PYRO_WORKSPACE is used."]
        : []),
      `pyro ${path.join(" ")} <verb> --help tells more.`,
      ""
    ].join("\n")
    : [
      "pyro runs commands in disposable microVMs.",
      "",
      "  pyro run debian:12 -- git --version              a command, its output, its exit status",
      "  pyro workspace create --seed-path . --name fix   one that stays, with a copy of this directory",
      "  pyro workspace exec fix -- python3 -m unittest   a command in it",
      "",
      "Commands",
      ...table(firstWords()),
      "",
      `${aliasHelp}.`,
      "",
      "pyro <command> --help tells more; --json prints one JSON document instead of text.",
      "Something wrong? pyro doctor says how to mend it. Your shell can complete: pyro completion --help",
      ""
    ].join("\n")
}

/** What the groups of commands are for. */
const groups = new Map([
  ["workspace", "Create workspaces, work in them, see what changed, throw them away"],
  ["env", "The environments that microVMs start from"],
  ["daemon", "The process that holds the workspaces"],
  ["mcp", "Serve workspaces to agents"]
])

/** First words after `pyro`, each once. */
const firstWords = (): ReadonlyArray<Row> => {
  const first = new Map<string, string>()
  for (const { cli: { path: [word] }, summary } of commands) {
    if (!first.has(word)) first.set(word, groups.get(word) ?? summary)
  }
  return [...first]
}

type Row = readonly [left: string, right: string]

const WIDTH = 100
/** Where descriptions begin at the latest; a longer flag has a line of its own. */
const COLUMN = 36

const table = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const column = Math.min(COLUMN, Math.max(...rows.map(([left]) => left.length)) + 4)
  return rows.map(([left, right]) => {
    const text = wrapped(right, column)
    return left.length + 4 > column ? `  ${left}\n${text}` : `  ${left.padEnd(column - 2)}${text.trimStart()}`
  })
}

const wrapped = (text: string, indent: number): string => {
  const lines: Array<string> = []
  let line = ""
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = word
    } else line = line === "" ? word : `${line} ${word}`
  }
  return [...lines, line].map((one) => " ".repeat(indent) + one).join("\n")
}
