import { Context, Option } from "effect"
import type { ArgDoc, FlagDoc, HelpDoc } from "effect/cli/HelpDoc"
import type { OptionGroups } from "../../contract/rows/option-groups.ts"
import { unitHelp } from "../arguments/flags.ts"
import { wrapped } from "../output/print.ts"

/** Text at the end of a help that lists commands. */
export const Note = Context.Reference<string>("pyro/cli/help/Note", { defaultValue: () => "" })

/** Groups of a command's options. None: one group. */
export const Groups = Context.Reference<OptionGroups>("pyro/cli/help/Groups", { defaultValue: () => ({}) })

/** Codes of the errors that a command gives beside those of each call. */
export const Fails = Context.Reference<ReadonlyArray<string>>("pyro/cli/help/Fails", { defaultValue: () => [] })

/** A term and its description. */
type Row = readonly [term: string, description: string]

/** A page of help, block by block. */
type Page = ReadonlyArray<
  | { readonly _tag: "Header" | "Paragraph"; readonly text: string }
  /** Verbatim lines. */
  | { readonly _tag: "Lines"; readonly lines: ReadonlyArray<string> }
  /** `longest`: letters of the longest term whose descriptions begin in one column with these. */
  | { readonly _tag: "Rows"; readonly rows: ReadonlyArray<Row>; readonly longest: number }
>

const header = (text: string): Page[number] => ({ _tag: "Header", text })
const paragraph = (text: string): Page[number] => ({ _tag: "Paragraph", text })
const rows = (
  rows: ReadonlyArray<Row>,
  longest = Math.max(...rows.map(([term]) => term.length))
): Page[number] => ({ _tag: "Rows", rows, longest })
const verbatim = (lines: ReadonlyArray<string>): Page[number] => ({ _tag: "Lines", lines })

/** The blocks of help for all of pyro, for a group of commands, or for one command. */
export const pageOf = (doc: HelpDoc): Page => {
  const groups = doc.subcommands ?? []
  const longest = Math.max(...groups.flatMap(({ commands }) => commands.map(({ name }) => name.length)))
  const beneath = (title: string) =>
    groups.flatMap(({ commands, group = title }) => [
      header(group),
      rows(commands.map((one): Row => [one.name, one.description]), longest)
    ])
  const note = paragraph(Context.get(doc.annotations, Note))
  if (groups.length === 0) return commandPage(doc)
  return doc.usage === ""
    ? [header(doc.description), verbatim(exampleLines(doc)), ...beneath("Commands"), note]
    : [header("Usage"), verbatim([doc.usage]), ...beneath("Verbs"), note]
}

const commandPage = (doc: HelpDoc): Page => {
  const { args = [], description, flags, globalFlags = [], usage } = doc
  const units = Object.values(unitHelp).filter(({ value }) => flags.some(({ type }) => type === value))
  return [
    ...description.split("\n\n").map(paragraph),
    header("Usage"),
    verbatim([usage]),
    ...(args.length === 0 ? [] : [header("Arguments"), rows(args.map(argRow))]),
    ...optionBlocks([...flags, ...globalFlags], Object.entries(Context.get(doc.annotations, Groups))),
    ...(units.length === 0 ? [] : [verbatim(units.map(({ line }) => line))]),
    header("Examples"),
    verbatim(exampleLines(doc)),
    ...failures(Context.get(doc.annotations, Fails))
  ]
}

const failures = (codes: ReadonlyArray<string>): Page =>
  codes.length === 0 ? [] : [header("Fails with"), paragraph(codes.join(", "))]

/** The options beneath the title of each group. */
const optionBlocks = (
  flags: ReadonlyArray<FlagDoc>,
  groups: ReadonlyArray<readonly [string, ReadonlyArray<string>]>
): Page =>
  groups.length === 0
    ? [header("Options"), rows(flags.map(flagRow))]
    : groups.flatMap(([title, names]) => [
      header(title),
      rows(names.flatMap((name) => flags.filter((flag) => flag.name === name)).map(flagRow))
    ])

const described = ({ description }: ArgDoc | FlagDoc) => Option.getOrElse(description, () => "")

/** The type of a guest's command is its `--`. */
const argRow = (arg: ArgDoc): Row => [
  arg.type === "" ? `<${arg.name}>` : `${arg.type} <${arg.name}...>`,
  described(arg)
]

const flagRow = (flag: FlagDoc): Row => [
  [...flag.aliases, `--${flag.name}`].join(", ") + (flag.type === "boolean" ? "" : ` ${flag.type}`),
  described(flag)
]

/** Each example with its description beside it. */
const exampleLines = ({ examples = [] }: HelpDoc): ReadonlyArray<string> => {
  const column = Math.max(...examples.map(({ command }) => command.length)) + 3
  return examples.map(({ command, description }) =>
    description === undefined ? command : command.padEnd(column) + description
  )
}

/** Maximum column of descriptions. A longer term has its own line. */
const COLUMN = 36

/** Help as plain text in lines of at most `width` columns: descriptions are beside their terms, and verbatim lines are not wrapped. */
export const helpText = (doc: HelpDoc, width: number): string => {
  const page = pageOf(doc)
  return page.map((block, at) => (at > 0 && !isUnderHeader(page, at) ? "\n" : "") + blockText(block, width)).join("")
}

/** No blank line separates a header from its first block. */
const isUnderHeader = (page: Page, at: number) => page[at - 1]?._tag === "Header"

const blockText = (block: Page[number], width: number): string => {
  switch (block._tag) {
    case "Header":
      return `${block.text}\n`
    case "Paragraph":
      return block.text.split("\n").map((line) => `${wrapped(line, { indent: 0, width })}\n`).join("")
    case "Lines":
      return block.lines.map((line) => `  ${line}\n`).join("")
    case "Rows":
      return definitionLines(block, width)
  }
}

const definitionLines = (
  { longest, rows }: Extract<Page[number], { readonly _tag: "Rows" }>,
  width: number
): string => {
  const column = Math.min(COLUMN, Math.floor(width * 0.4), longest + 4)
  return rows.map(([term, description]) => {
    const text = wrapped(description, { indent: column, width })
    return term.length + 4 > column
      ? `  ${term}\n${text}\n`
      : `  ${term.padEnd(column - 2)}${text.trimStart()}\n`
  }).join("")
}
