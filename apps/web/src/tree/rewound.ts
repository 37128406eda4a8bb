import { alsoEnded, type RewindResult } from "../../../../src/contract/rows/workspace-rewind.ts"
import { count } from "../../../../src/contract/text/count.ts"

/** Maximum names in a sentence. */
const MOST_NAMED = 6

/** Maximum characters of a command in a sentence. */
const CHARACTERS = 60

/** Digits of an id that a person needs, as in `pyro history`. */
const ID_DIGITS = 12

const cut = (text: string) => text.length > CHARACTERS ? `${text.slice(0, CHARACTERS)}…` : text

const named = (names: ReadonlyArray<string>) => {
  const more = names.length - MOST_NAMED
  return more <= 0 ? names.join(", ") : `${names.slice(0, MOST_NAMED).join(", ")} and ${more} more`
}

type Ended = RewindResult["ended"][number]

const endedText = ({ command, id, kind }: Ended) =>
  kind === "service" ? `service ${id}` : kind === "shell" ? `shell ${id.slice(0, ID_DIGITS)}` : cut(command)

/** Report of a rewind, in the sentences of `pyro rewind`: undone commands, ended programs, programs that go on or start again, and effects that stay. */
export const rewoundText = (
  rewound: Pick<
    RewindResult,
    "ended" | "stillRunning" | "memory" | "keptEffects" | "restarted" | "undone" | "writesUndone"
  >
): string => {
  const { stillRunning, memory, keptEffects, restarted, undone, writesUndone } = rewound
  const ended = alsoEnded(rewound).map(endedText)
  return [
    undone.length === 0 ? "No command is undone." : `${count(undone.length, "command")} undone.`,
    ...writesUndone.map((one) => `Also undone: ${one}.`),
    ...(ended.length === 0 ? [] : [`Ended with the old microVM: ${named(ended)}.`]),
    ...(memory && stillRunning.length > 0 ? [`Goes on from the memory of that moment: ${named(stillRunning)}.`] : []),
    ...(restarted.length === 0 ? [] : [`Services that start again: ${named(restarted)}.`]),
    ...(keptEffects.length === 0 ? [] : [`Not undone: ${keptEffects.join("; ")}.`])
  ].join(" ")
}
