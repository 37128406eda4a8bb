import { ends } from "../../contract/rows/operations.ts"
import { commands } from "../rows/rows.ts"
import { GROUP, shortly, shortPath } from "./aliases.ts"
import { closest } from "./closest.ts"

/**
 * Words of docker, git, gh and e2b, and pyro's commands for them. The first command below the words typed before wins. No
 * suggestion is better than the opposite command, so a word in this list is never treated as a misspelling. Only a word that means an end leads to a
 * command that ends something.
 */
const OTHER_WORDS: ReadonlyArray<readonly [words: ReadonlyArray<string>, commands: ReadonlyArray<string>]> = [
  [["delete", "remove", "rm", "del", "destroy"], [
    "workspace delete",
    "workspace snapshot delete",
    "workspace saved delete",
    "workspace service stop",
    "workspace port unpublish",
    "workspace shell close",
    "env rm",
    "host disconnect"
  ]],
  [["kill", "terminate"], ["workspace stop", "workspace service stop", "workspace shell close", "daemon stop"]],
  [["rmi"], ["env rm"]],
  [["ls", "ps"], [
    "workspace list",
    "workspace file list",
    "workspace snapshot list",
    "workspace saved list",
    "env list",
    "daemon status",
    "network lists"
  ]],
  [["get"], ["workspace list", "env list"]],
  [["show", "info", "inspect", "describe"], [
    "workspace status",
    "workspace saved inspect",
    "env inspect",
    "daemon status"
  ]],
  // pyro has no such command.
  [["compose"], []],
  [["new"], ["workspace create", "workspace snapshot create", "env build"]],
  [["create", "add", "install"], ["env build", "host connect"]],
  [["unpause"], ["workspace resume"]],
  [["cat", "read"], ["workspace file read"]],
  [["write"], ["workspace file write"]],
  [["pull", "download"], ["env pull", "workspace export"]],
  [["mv"], ["workspace rename"]],
  [["upload"], ["workspace sync push"]],
  [["shell", "ssh", "bash", "sh", "attach", "console", "terminal"], ["workspace attach"]],
  [["run"], ["workspace exec"]],
  [["checkpoint", "save"], ["workspace snapshot create"]],
  [["clone", "branch"], ["workspace fork"]],
  [["log", "tail"], ["workspace logs", "workspace service logs", "daemon logs"]],
  [["restart"], [
    "workspace stop then workspace start",
    "workspace service stop then workspace service start"
  ]],
  [["expose"], ["workspace port publish"]],
  [["copy"], ["workspace cp"]],
  [["set", "settings"], ["config"]],
  [["sandbox", "container", "vm"], ["workspace"]],
  [["image", "images", "template"], ["env list"]]
]

/** The same for two words, with commands of another group. */
const ELSEWHERE = new Map([
  ["file cp", "pyro cp"],
  ["sync cp", "pyro cp"],
  ["file download", "pyro export"],
  ["file pull", "pyro export"],
  ["sync download", "pyro export"],
  ["sync pull", "pyro export"],
  ["network off", "pyro network set --network-policy off"],
  ["shell exit", "pyro shell close"],
  ["workspace stats", "pyro top"],
  ["workspace watch", "pyro top"]
])

const ENVIRONMENT_MOVES = ["load", "push", "save"]

/** Words of git and others for a return. They mean several commands of pyro, which discard more or less, so pyro explains these. */
const RETURNS = ["checkout", "restore", "revert", "rollback", "undo"]

/** Explanation for words that need several commands of pyro. `name`: the word that was typed after them. */
const explained = (typed: ReadonlyArray<string>, name: string): string | undefined => {
  if (typed.join(" ") === "daemon restart") {
    return `"pyro daemon stop" ends the daemon, and the next command starts one. Workspaces go on`
  }
  const front = typed.slice(0, -1).join(" ")
  if (RETURNS.includes(typed.at(-1) ?? "") && ["", GROUP, `${GROUP} snapshot`].includes(front)) {
    return `"pyro diff ${name}" shows the changes. "pyro rewind ${name}" goes back to before the last command. ` +
      `"pyro reset ${name}" discards all changes since create, and "pyro reset ${name} --snapshot SNAPSHOT" ` +
      "all changes since the snapshot"
  }
  return typed[0] === "env" && ENVIRONMENT_MOVES.includes(typed[1] ?? "")
    ? `An environment moves between hosts as one file: "pyro env export ${
      typed[1] === "load" ? "NAME" : name
    } -o FILE", and there "pyro env import FILE"`
    : undefined
}

/** Names of workspaces and of environments, which need no quotes. */
const NAME = /^[a-z0-9][a-z0-9._:-]*$/

/** Suggestion for words that end with an unknown command. `next` is the word after them. */
export const suggestion = (typed: ReadonlyArray<string>, next = ""): string => {
  const explanation = explained(typed, NAME.test(next) ? next : "NAME")
  if (explanation !== undefined) return `. ${explanation}`
  const near = meant(typed)
  if (near === undefined) return ""
  return `. Did you mean ${near.split(THEN).map((command) => `"${whole(command, typed.slice(0, -1))}"`).join(THEN)}?`
}

const THEN = " then "

/**
 * A command with the fewest words. After the words of a group it is complete: `rm` of an environment, typed alone, would be
 * `rm` of a workspace.
 */
const whole = (command: string, front: ReadonlyArray<string>) =>
  front.length === 0 || command.startsWith("pyro ")
    ? shortPath(command.split(" ")).join(" ")
    : shortly([...front, ...command.split(" ")])

const paths = commands.map(({ cli }) => cli.path)

/** The probable command, as words after the words before the last one, or from `pyro` on. */
const meant = (typed: ReadonlyArray<string>): string | undefined => {
  const last = typed.at(-1) ?? ""
  const front = typed.slice(0, -1).map((word) => `${word} `).join("")
  const elsewhere = ELSEWHERE.get(typed.slice(-2).join(" "))
  if (elsewhere !== undefined) return elsewhere
  const other = OTHER_WORDS.find(([words]) => words.includes(last))
  if (other !== undefined) return other[1].find((command) => command.startsWith(front))?.replaceAll(front, "")
  const beneath = [front, ...(front === "" ? [] : [`${GROUP} ${front}`])].flatMap((words) =>
    paths.map((path) => path.join(" ")).flatMap((path) =>
      path.startsWith(words) ? [path.slice(words.length).split(" ")] : []
    )
  )
  if (front !== "" && paths.some((path) => path.join(" ") === last)) return `pyro ${last}`
  return endingWith(last, beneath) ??
    listOf(last, beneath) ??
    closest(
      last,
      front === "" ? firstWords() : [...new Set(beneath.flatMap(([word = ""]) => [word]))],
      isEndingBehind(front)
    ) ??
    // The last word may be a workspace's name instead of a verb of shells.
    (front === "workspace shell "
      ? `pyro attach ${last}`
      : front === "workspace patch "
      ? "pyro patch apply"
      : undefined)
}

/** Words that may follow `pyro`, including each verb whose group may be omitted. */
const firstWords = () => [
  ...new Set([...paths.flatMap((path) => [path[0] ?? "", shortPath(path)[0] ?? ""]), "help", "version", "completion"])
]

const isEndingBehind = (front: string) => (word: string) =>
  commands.some((row) =>
    ends(row) && [row.cli.path, shortPath(row.cli.path)].some((path) => path.join(" ") === front + word)
  )

/** `workspace create` for `create`, `workspace snapshot` for `snapshot`. */
const endingWith = (word: string, paths: ReadonlyArray<ReadonlyArray<string>>) => {
  const path = paths.find((one) => one.at(-1) === word) ?? paths.find((one) => one.includes(word))
  return path?.slice(0, path.lastIndexOf(word) + 1).join(" ")
}

/** `service list` for `services`. */
const listOf = (word: string, paths: ReadonlyArray<ReadonlyArray<string>>) =>
  paths.find((path) => path.at(-1) === "list" && `${path.at(-2)}s` === word)?.join(" ")
