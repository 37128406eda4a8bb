import type { Operation } from "../../contract/rows/operations.ts"
import { type Command, commands, isOperation, type OwnCommand } from "../rows/rows.ts"
import { GROUP, shortly, unaliased } from "./aliases.ts"
import { unknownOption } from "./closest.ts"
import { CONTEXT, type Flag, flagsOf } from "./flags.ts"
import { lastValue, operandAt } from "./operands.ts"
import { suggestion } from "./suggestion.ts"

/** Splits off the argv of a guest's program: the words after the first bare `--`, or from the guest command's first word on. pyro must not parse them. */
export const splitArgv = (typed: ReadonlyArray<string>) => {
  const argv = withoutBlank(typed)
  const dashes = argv.indexOf("--")
  const own = dashes < 0 ? argv : argv.slice(0, dashes)
  const begin = commandBegin(own)
  return begin !== undefined
    ? { own: argv.slice(0, begin), rest: argv.slice(begin), isDashed: false }
    : { own, rest: dashes < 0 ? undefined : argv.slice(dashes + 1), isDashed: dashes >= 0 }
}

/** `--context NAME` in front of the command as one word: the name is no word of the command. */
const withoutBlank = (argv: ReadonlyArray<string>): ReadonlyArray<string> => {
  const at = argv.findIndex((word) => !word.startsWith("-"))
  const [flag, name] = argv.slice(at - 1)
  if (at < 1 || flag !== `--${CONTEXT}`) return argv
  return withoutBlank([...argv.slice(0, at - 1), `${flag}=${name}`, ...argv.slice(at + 1)])
}

/** The context that a command line names. */
export const contextOf = (routed: Route): string | undefined =>
  routed._tag === "Operation"
    ? lastValue(routed.words, flagsOf(routed.operation), CONTEXT)
    : routed._tag === "Command"
    ? lastValue(routed.words, flagsOf(routed.command), CONTEXT)
    : undefined

/** Position of the guest command's first word: the first word after the arguments of a pyro command that takes a guest command. */
const commandBegin = (own: ReadonlyArray<string>): number | undefined => {
  let path: ReadonlyArray<string> = []
  for (const [at, word] of own.entries()) {
    if (word.startsWith("-")) continue
    path = pathAfter(path, word) ?? [...path, word]
    const beneath = beneathPath(path)
    const command: Command | undefined = beneath.find(({ cli }) => cli.path.length === path.length)
    if (command?.cli.rest !== undefined) {
      const begin = operandAt(own.slice(at + 1), flagsOf(command), command.cli.args.length)
      return begin === undefined ? undefined : at + 1 + begin
    }
    if (command !== undefined || beneath.length === 0) return undefined
  }
  return undefined
}

/** The command of the words before `--`. */
export type Route =
  | { readonly _tag: "Operation"; readonly operation: Operation; readonly words: ReadonlyArray<string> }
  | { readonly _tag: "Command"; readonly command: OwnCommand; readonly words: ReadonlyArray<string> }
  | { readonly _tag: "Help"; readonly path: ReadonlyArray<string> }
  | { readonly _tag: "Version" }
  | { readonly _tag: "CompletionScript"; readonly shell: string | undefined }
  | { readonly _tag: "Complete" }
  | { readonly _tag: "Wrong"; readonly detail: string; readonly path: ReadonlyArray<string> }

/** Finds the command of the words. Flags may be before, between and after them. */
export const route = (own: ReadonlyArray<string>): Route => {
  const words = own[0] === "help" ? [...own.slice(1), "--help"] : own
  if (own[0] === "__complete") return { _tag: "Complete" }
  const wantsHelp = words.includes("--help") || words.includes("-h")
  const flags: Array<string> = []
  let path: ReadonlyArray<string> = []
  if (words[0] === "version") return { _tag: "Version" }
  if (words[0] === "completion") return { _tag: "CompletionScript", shell: wantsHelp ? undefined : words[1] }
  for (const [at, word] of words.entries()) {
    if (word.startsWith("-")) {
      flags.push(word)
      continue
    }
    const longer = pathAfter(path, word) ?? [...path, word]
    const beneath = beneathPath(longer)
    if (beneath.length === 0) {
      const typed = words.slice(0, at + 1).filter((one) => !one.startsWith("-"))
      const option = path.length === 0 ? valued(words[at - 1]) : undefined
      const hint = option === undefined
        ? suggestion(longer, words[at + 1])
        : `. If it is the value of ${option}, put both behind the command`
      // Also before --help: the help of the words above would hide the wrong word.
      return { _tag: "Wrong", detail: `no command "${typed.join(" ")}"${hint}`, path }
    }
    path = longer
    const exact = beneath.find((row) => row.cli.path.length === path.length)
    // A command may have verbs of its own, as `serve` has.
    if (exact !== undefined && !goesOn(path, words.slice(at + 1))) {
      if (wantsHelp) return { _tag: "Help", path }
      const left = withFlags(exact, words.slice(at + 1), flags)
      return isOperation(exact)
        ? { _tag: "Operation", operation: exact, words: left }
        : { _tag: "Command", command: exact, words: left }
    }
  }
  if (wantsHelp || words.length === 0) return { _tag: "Help", path }
  if (words.includes("--version")) return { _tag: "Version" }
  return { _tag: "Wrong", detail: incomplete(path, flags), path }
}

/** Whether the next word leads to a longer command. */
const goesOn = (path: ReadonlyArray<string>, words: ReadonlyArray<string>) => {
  const next = words.find((word) => !word.startsWith("-"))
  return next !== undefined && beneathPath([...path, next]).length > 0
}

/** Options that a command line may have before its command. */
const GENERAL = ["--context", "--help", "--json", "--quiet", "--version"]

/** An option of a command in front of a word, which may be its value. */
const valued = (word = "") => /^--[^=]+$/.test(word) && !GENERAL.includes(word) ? word : undefined

/** Error text of words that end before a command. First reports an option that no command below them has. */
const incomplete = (path: ReadonlyArray<string>, flags: ReadonlyArray<string>) => {
  const unknown = flags.find((flag) =>
    !GENERAL.includes(flag) && !beneathPath(path).some((row) => flagsOf(row).some((one) => isCalled(one, flag)))
  )
  if (unknown !== undefined) return unknownOption(unknown, GENERAL)
  return path.length === 0
    ? `no command before ${flags.join(" ")}`
    : `"${shortly(path)}" needs a verb: ${verbsOf(path).join(", ")}`
}

/** The words that may follow a path: also those of a group of the same name that workspaces have, as `network` has. */
const verbsOf = (path: ReadonlyArray<string>) => [
  ...new Set(
    [path, [GROUP, ...path]].flatMap((one) => beneathPath(one).flatMap(({ cli }) => cli.path[one.length] ?? []))
  )
]

const isCalled = ({ also, letter, name }: Flag, word: string) =>
  [name, also].some((one) => word.split("=", 1)[0] === `--${one}`) || (letter !== undefined && word === `-${letter}`)

const beneathPath = (path: ReadonlyArray<string>) => commands.filter((row) => startsWith(row.cli.path, path))

/** The path with one more word, which may be an alias. Undefined if no command begins with it. */
export const pathAfter = (path: ReadonlyArray<string>, word: string): ReadonlyArray<string> | undefined => {
  const exists = (longer: ReadonlyArray<string>) => beneathPath(longer).length > 0
  const longer = [...path, word]
  return exists(longer) ? longer : unaliased(path, word, exists)
}

/** The words after an operation's path, and the flags before it. An early flag without its value does not take the next word as its value. */
const withFlags = (operation: Command, words: ReadonlyArray<string>, early: ReadonlyArray<string>) => {
  if (early.length === 0) return words
  const switches = flagsOf(operation).flatMap(({ name, value }) => value === undefined ? [`--${name}`] : [])
  const isSwitch = (flag: string) => switches.includes(flag)
  return [...early.filter(isSwitch), ...words, ...early.filter((flag) => !isSwitch(flag))]
}

const startsWith = (path: ReadonlyArray<string>, start: ReadonlyArray<string>) =>
  start.every((word, at) => path[at] === word)
