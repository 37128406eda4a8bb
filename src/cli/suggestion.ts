import { ends } from "../contract/ends.ts"
import { closest } from "./closest.ts"
import { commands } from "./commands.ts"

/**
 * Words of docker, git, gh and e2b, and pyro's commands for them: the first one beneath the words that were typed in front. No
 * suggestion is better than its opposite, so that what stands here is never taken for a misspelling. Only a word that means an end leads to a
 * command that ends something.
 */
const OTHER_WORDS: ReadonlyArray<readonly [words: ReadonlyArray<string>, commands: ReadonlyArray<string>]> = [
  [["delete", "remove", "rm", "del", "destroy"], ["workspace delete", "workspace snapshot delete", "env rm"]],
  [["kill"], ["workspace stop", "daemon stop"]],
  [["ls", "ps"], ["workspace list", "workspace file list", "workspace snapshot list", "env list", "daemon status"]],
  [["show", "info", "inspect"], ["workspace status", "env inspect", "daemon status"]],
  [["cat", "read"], ["workspace file read"]],
  [["write"], ["workspace file write"]],
  [["pull", "download"], ["env pull", "workspace export"]],
  [["mv"], ["workspace rename"]],
  [["upload"], ["workspace sync push"]],
  [["shell", "ssh", "bash", "sh", "attach"], ["workspace attach"]],
  [["run"], ["workspace exec"]],
  [["commit", "checkpoint", "save"], ["workspace snapshot create"]],
  [["clone", "branch"], ["workspace fork"]],
  [["log"], ["workspace logs", "daemon logs"]],
  [["restart"], ["workspace stop then workspace start", "daemon stop"]],
  [["sandbox", "container", "vm"], ["workspace"]],
  [["image", "images", "template"], ["env list"]]
]

/** The same for a word behind another one, with commands that stand elsewhere. */
const ELSEWHERE = new Map([
  ["file cp", "workspace cp"],
  ["sync cp", "workspace cp"],
  ["file download", "workspace export"],
  ["file pull", "workspace export"],
  ["sync download", "workspace export"],
  ["sync pull", "workspace export"],
  ["snapshot restore", "workspace reset --snapshot"],
  ["workspace stats", "pyro top"],
  ["workspace watch", "pyro top"]
])

const ENVIRONMENT_MOVES = ["export", "import", "load", "push", "save"]

/** The answer to words for something that pyro does by several commands. */
const explained = (typed: ReadonlyArray<string>): string | undefined => {
  return typed[0] === "env" && ENVIRONMENT_MOVES.includes(typed[1] ?? "")
    ? `An environment does not move between hosts: "pyro env inspect" shows its packages, and "pyro env build" adds them on another host`
    : undefined
}

/** Suggestion for words that end with an unknown command. */
export const suggestion = (typed: ReadonlyArray<string>): string => {
  const explanation = explained(typed)
  if (explanation !== undefined) return `. ${explanation}`
  const near = meant(typed)
  return near === undefined
    ? ""
    : `. Did you mean ${near.split(" then ").map((command) => `"${command}"`).join(" then ")}?`
}

const meant = (typed: ReadonlyArray<string>): string | undefined => {
  const last = typed.at(-1) ?? ""
  const front = typed.slice(0, -1).map((word) => `${word} `).join("")
  const elsewhere = ELSEWHERE.get(typed.slice(-2).join(" "))
  if (elsewhere !== undefined) return elsewhere
  const other = OTHER_WORDS.find(([words]) => words.includes(last))
  if (other !== undefined) return other[1].find((command) => command.startsWith(front))?.replaceAll(front, "")
  const beneath = commands
    .map(({ cli }) => cli.path.join(" "))
    .flatMap((path) => path.startsWith(front) ? [path.slice(front.length).split(" ")] : [])
  if (front !== "" && commands.some(({ cli }) => cli.path.join(" ") === last)) return `pyro ${last}`
  const isEnding = (word: string) => commands.some((row) => ends(row) && row.cli.path.join(" ") === front + word)
  return endingWith(last, beneath) ??
    closest(last, [...new Set(beneath.flatMap((path) => path.slice(0, 1)))], isEnding) ??
    // A workspace's name stands where a verb of shells should.
    (front === "workspace shell " ? `pyro attach ${last}` : undefined)
}

/** `workspace create` for `create`, `workspace snapshot` for `snapshot`. */
const endingWith = (word: string, paths: ReadonlyArray<ReadonlyArray<string>>) => {
  const path = paths.find((one) => one.at(-1) === word) ?? paths.find((one) => one.includes(word))
  return path?.slice(0, path.lastIndexOf(word) + 1).join(" ")
}
