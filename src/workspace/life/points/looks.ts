import type { CommandStart } from "../../residents/exec/journal.ts"

/** Programs that read, with the options by which some write files. A word that an option may be part of is no look in doubt. */
const READERS: ReadonlyMap<string, RegExp | undefined> = new Map([
  ...["cat", "cd", "df", "du", "grep", "head", "ls", "ps", "pwd", "stat", "tail", "wc", "which"]
    .map((program) => [program, undefined] as const),
  // Compiles the file of magic numbers. GNU takes the first letters of a long option.
  ["file", /^(-(?!-).*C|--co?m?)/s],
  // Writes a list, or one into each directory.
  ["tree", /^(-(?!-).*[oR]|--o)/s]
])

/** Subcommands of git that read. Some refresh git's index, or take its lock for a moment: that changes nothing of the workspace's. */
const GIT_READERS: ReadonlySet<string> = new Set(["diff", "log", "ls-files", "rev-parse", "show", "status"])

/** Options by which they write files, or run other programs. git takes the first letters of an option. */
const GIT_WRITES = /^--(ou|ext|textc)/

/** A shell that runs one text. */
const SHELL = /^(\/usr)?(\/bin\/)?(ba|da)?sh$/
const RUNS_TEXT = /^-[a-z]*c$/

/** Redirections, substitutions, escapes, groups and variables. They are refused between quotes, too. */
const MORE_THAN_WORDS = /[<>`$(){}\\]/

/** The journal keeps the beginning of a long command. */
const CUT = "…"

/** A word, and whether the shell puts names of files in its place: one may begin with a dash. */
interface Word {
  readonly text: string
  readonly isPattern: boolean
}

const isGitReader = (words: ReadonlyArray<Word>): boolean => {
  const [first, second] = words
  if (first?.text === "--no-pager") return isGitReader(words.slice(1))
  if (first?.text === "-C" && second !== undefined) return isGitReader(words.slice(2))
  return GIT_READERS.has(first?.text ?? "") && !words.some(({ isPattern, text }) => isPattern || GIT_WRITES.test(text))
}

const isReader = ([program, ...words]: ReadonlyArray<Word>): boolean => {
  if (program === undefined || program.isPattern) return false
  if (program.text === "git") return isGitReader(words)
  if (!READERS.has(program.text)) return false
  const writes = READERS.get(program.text)
  return writes === undefined || !words.some(({ isPattern, text }) => isPattern || writes.test(text))
}

/** The commands of a shell's text, as words. Undefined where the text has more than words, quotes and separators. */
const commandsIn = (text: string): ReadonlyArray<ReadonlyArray<Word>> | undefined => {
  if (MORE_THAN_WORDS.test(text)) return undefined
  const commands: Array<ReadonlyArray<Word>> = []
  let words: Array<Word> = []
  let word: Word | undefined
  const endWord = () => {
    if (word !== undefined) words.push(word)
    word = undefined
  }
  // A word goes on after a quote. Each other character is a separator, a blank, or a part of a word.
  for (const [piece, quoted] of text.matchAll(/("[^"]*"|'[^']*')|&&|\|\||[^]/g)) {
    if (quoted === undefined && /^(&&|\|\||[;|\n])$/.test(piece)) {
      endWord()
      commands.push(words)
      words = []
    } else if (piece === " " || piece === "\t") endWord()
    else {
      // A quote without an end, a program in the background, and a comment, in which quotes are none.
      if (/^["'&#]$/.test(piece)) return undefined
      word = {
        text: (word?.text ?? "") + (quoted === undefined ? piece : quoted.slice(1, -1)),
        isPattern: word?.isPattern === true || (quoted === undefined && /[*?[]/.test(piece))
      }
    }
  }
  endWord()
  return [...commands, words].filter((one) => one.length > 0)
}

/**
 * Whether a command is known by its words to change nothing of a workspace: `ls`, `git status`, also several in one line of a shell. The disk shows it of
 * other commands, unless a program writes at the same time. In doubt a command is none: variables such as `GIT_TRACE=FILE` make a look write, and git
 * starts a pager on a terminal.
 */
export const isLook = (
  { command, tty, variables }: Pick<CommandStart, "command" | "tty" | "variables">
): boolean => tty !== true && variables !== true && readsByWords(command)

const readsByWords = (command: ReadonlyArray<string>): boolean => {
  if (command.some((word) => word.includes(CUT))) return false
  const [shell = "", flag = "", text, ...rest] = command
  if (!SHELL.test(shell) || !RUNS_TEXT.test(flag) || text === undefined) {
    return isReader(command.map((text) => ({ text, isPattern: false })))
  }
  return rest.length === 0 && (commandsIn(text)?.every(isReader) ?? false)
}
