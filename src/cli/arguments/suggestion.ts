import type { CliSurface } from "../../contract/rows/operation.ts"
import { ends, operations } from "../../contract/rows/operations.ts"
import { commands, isOperation } from "../rows/rows.ts"
import { GROUP, shortly, shortPath } from "./aliases.ts"
import { closest } from "./closest.ts"
import { type Foreign, foreignWord, isSentence, withNames } from "./foreign-words.ts"

type Path = ReadonlyArray<string>

/** Names of workspaces and of environments, which need no quotes. */
const NAME = /^[a-z0-9][a-z0-9._:-]*$/

/** Suggestion for words that end with an unknown command. `next` is the word after them. */
export const suggestion = (typed: Path, next = ""): string => {
  const front = typed.slice(0, -1)
  const last = typed.at(-1) ?? ""
  const foreign = foreignWord(front, last)
  const sentence = foreign?.own.find(isSentence)
  if (sentence !== undefined) return `. ${withNames(sentence, NAME.test(next) ? { workspace: next } : {})}`
  const near = shownBy(typed) ?? (foreign === undefined ? meant(front, last) : firstOf(foreign, front))
  if (near === undefined) return verbFirst(front, last)
  const words = near.map((path) => `"${front.length === 0 ? shortPath(path).join(" ") : shortly(path)}"`)
  return `. Did you mean ${words.join(THEN)}?`
}

/** For a word after a group that is like no verb: it may be a workspace, which a verb comes before. */
const verbFirst = (front: Path, last: string): string => {
  if (front.length === 0 || !NAME.test(last)) return ""
  const reads = commands.filter((row) =>
    isOperation(row) && row.annotations.readOnly && row.cli.args[0] === "workspace" &&
    startsOf(front).some((start) => startsWith(row.cli.path, start))
  )
  const row = reads.find(({ cli: { path } }) => path.at(-1) === "list") ?? reads[0]
  return row === undefined
    ? ""
    : `. If ${last} is a workspace, a verb comes first, as in "${shortly([...row.cli.path, last])}"`
}

/** The command that shows people what an operation for programs gives. */
const shownBy = (typed: Path): ReadonlyArray<Path> | undefined => {
  const path = operations.map(({ cli }): CliSurface => cli).find((cli) =>
    cli.shownBy !== undefined && [typed, [GROUP, ...typed]].some((one) => one.join(" ") === cli.path.join(" "))
  )?.shownBy
  return path && [path]
}

const THEN = " then "

const paths = commands.map(({ cli }) => cli.path)
const startsWith = (path: Path, start: Path) => start.every((word, at) => path[at] === word)

/** The whole path of a command, or of several that are joined with `then`. */
const firstOf = ({ after, own }: Foreign, front: Path): ReadonlyArray<Path> | undefined => {
  for (const one of own) {
    const found = one.split(THEN).map((words) => beneath(after.length === 0 ? front : [], words.split(" ")))
    if (found.every((path) => path !== undefined)) return found
  }
  return undefined
}

/** The path of `words` beneath the words before. */
const beneath = (front: Path, words: Path): Path | undefined =>
  [[...front, ...words], [GROUP, ...front, ...words], [GROUP, ...words], words].find((path) =>
    startsOf(front).some((start) => startsWith(path, start)) && paths.some((one) => startsWith(one, path))
  )

/** The words before, which may omit the group. */
const startsOf = (front: Path): ReadonlyArray<Path> => front.length === 0 ? [front] : [front, [GROUP, ...front]]

/** The probable command, by pyro's own words. */
const meant = (front: Path, last: string): ReadonlyArray<Path> | undefined => {
  const path = elsewhere(front, last) ?? endingWith(front, last) ?? listOf(front, last) ?? similar(front, last) ??
    onlyCommand(front, last)
  return path && [path]
}

const isCommand = (path: Path) => commands.some(({ cli }) => cli.path.join(" ") === path.join(" "))

const isEnd = (path: Path) => commands.some((row) => ends(row) && row.cli.path.join(" ") === path.join(" "))

/** `pyro top` for `workspace top`, and `pyro cp` for `file cp`: another command with the word alone. */
const elsewhere = (front: Path, last: string): Path | undefined => {
  const alone = front.length === 0 ? [] : front[0] === GROUP && front.length > 1 ? [[last], [GROUP, last]] : [[last]]
  return alone.find((path) => isCommand(path) && !isEnd(path))
}

/** Words of the commands beneath `front`. */
const pathsBeneath = (front: Path) =>
  startsOf(front).flatMap((start) =>
    paths.filter((path) => startsWith(path, start)).map((path) => ({ start, rest: path.slice(start.length) }))
  )

/** `workspace file edit` for `edit`, `workspace snapshot` for `snapshot`. */
const endingWith = (front: Path, last: string): Path | undefined => {
  const all = pathsBeneath(front)
  const found = all.find(({ rest }) => rest.at(-1) === last) ?? all.find(({ rest }) => rest.includes(last))
  return found && [...found.start, ...found.rest.slice(0, found.rest.lastIndexOf(last) + 1)]
}

/** `service list` for `services`. */
const listOf = (front: Path, last: string): Path | undefined => {
  const found = pathsBeneath(front).find(({ rest }) => rest.at(-1) === "list" && `${rest.at(-2)}s` === last)
  return found && [...found.start, ...found.rest]
}

const similar = (front: Path, last: string): Path | undefined => {
  const words = front.length === 0
    ? firstWords()
    : [...new Set(pathsBeneath(front).flatMap(({ rest: [word = ""] }) => [word]))]
  const near = closest(last, words, (word) => [[...front, word], [GROUP, ...front, word]].some(isEnd))
  return near === undefined ? undefined : beneath(front, [near]) ?? [near]
}

/** Words that may follow `pyro`, including each verb whose group may be omitted. */
const firstWords = () => [
  ...new Set([...paths.flatMap((path) => [path[0] ?? "", shortPath(path)[0] ?? ""]), "help", "version", "completion"])
]

/** For a word in the place of a verb: it may be a workspace's name after `shell`, and a file's after `patch`. */
const onlyCommand = (front: Path, last: string): Path | undefined =>
  front.join(" ") === `${GROUP} shell`
    ? [GROUP, "attach", last]
    : front.join(" ") === `${GROUP} patch`
    ? [...front, "apply"]
    : undefined
