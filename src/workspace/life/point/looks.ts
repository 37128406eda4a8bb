/** Programs that read. With what they print in a file of the workspace they are no looks, so a redirection is refused. */
const READERS: ReadonlySet<string> = new Set(
  ["cat", "cd", "df", "du", "file", "grep", "head", "ls", "ps", "pwd", "stat", "tail", "tree", "wc", "which"]
)

/** Subcommands of git that read. Some refresh git's index, or take its lock for a moment: that changes nothing of the workspace's. */
const GIT_READERS: ReadonlySet<string> = new Set(["diff", "log", "ls-files", "rev-parse", "show", "status"])

/** Options by which they write files, or run other programs. */
const WRITES = /^(-o|--output|--ext-diff|--textconv|-R$)/

/** A shell that runs one text. */
const SHELL = /^(\/usr)?(\/bin\/)?(ba|da)?sh$/
const RUNS_TEXT = /^-[a-z]*c$/

/** Redirections, substitutions, and programs in the background. */
const MORE_THAN_READS = /[<>`$(){}\\]|(^|[^&])&([^&]|$)/

const isReader = ([program = "", ...words]: ReadonlyArray<string>): boolean => {
  if (words.some((word) => WRITES.test(word))) return false
  if (program !== "git") return READERS.has(program)
  const [first, second, third] = words
  return GIT_READERS.has((first === "-C" ? third : first === "--no-pager" ? second : first) ?? "")
}

/**
 * Whether a command is known by its words to change nothing of a workspace: `ls`, `git status`, also several in one line of a shell. The disk shows it of
 * other commands, unless a program writes at the same time. In doubt a command is none.
 */
export const isLook = (command: ReadonlyArray<string>): boolean => {
  const [shell = "", flag = "", text, ...rest] = command
  if (!SHELL.test(shell) || !RUNS_TEXT.test(flag) || text === undefined) return isReader(command)
  return rest.length === 0 && !MORE_THAN_READS.test(text) &&
    text.split(/&&|\|\||[;|\n]/).map((part) => part.trim()).filter((part) => part !== "")
      .every((part) => isReader(part.split(/\s+/)))
}
