import type { CommandStart } from "../../residents/exec/journal.ts"

/** Programs that read, with the options by which some write files. A word that may contain such an option counts as a change. */
const READERS: ReadonlyMap<string, RegExp | undefined> = new Map([
  ...["cat", "cd", "df", "du", "grep", "head", "ls", "ps", "pwd", "stat", "tail", "wc", "which"]
    .map((program) => [program, undefined] as const),
  // Compiles the file of magic numbers. GNU takes the first letters of a long option.
  ["file", /^(-(?!-).*C|--co?m?)/s],
  // Writes a list, or one into each directory.
  ["tree", /^(-(?!-).*[oR]|--o)/s]
])

/** Subcommands of git that read. Some refresh git's index, or take its lock for a moment: which changes no file of the workspace. */
const GIT_READERS: ReadonlySet<string> = new Set(["diff", "log", "ls-files", "rev-parse", "show", "status"])

/** Options by which they write files, or run other programs: gpg for signatures, man for help. git takes the first letters of an option. */
const GIT_WRITES = /^--(ou|ext|textc|show-sig|help)|%G/

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
 * other commands, unless a program writes at the same time. In doubt a command counts as a change: variables such as `GIT_TRACE=FILE` make a look write, and git
 * starts a pager on a terminal.
 */
export const isLook = (
  { command, tty, variables }: Pick<CommandStart, "command" | "tty" | "variables">
): boolean => tty !== true && variables !== true && readsByWords(command)

/** A text that a shell runs, and how the shell is called. Undefined for another program. */
const shellTextOf = (command: ReadonlyArray<string>) => {
  const [shell = "", flag = "", text, ...rest] = command
  return SHELL.test(shell) && RUNS_TEXT.test(flag) && text !== undefined
    ? { shell, flag, commands: rest.length === 0 ? commandsIn(text) : undefined }
    : undefined
}

const asWords = (command: ReadonlyArray<string>): ReadonlyArray<Word> =>
  command.map((text) => ({ text, isPattern: false }))

const readsByWords = (command: ReadonlyArray<string>): boolean => {
  if (command.some((word) => word.includes(CUT))) return false
  const text = shellTextOf(command)
  return text === undefined ? isReader(asWords(command)) : text.commands?.every(isReader) ?? false
}

/** Where a look runs git. */
export interface GitUse {
  /** The shell that runs git, as `bash -lc`. Undefined: no shell. */
  readonly shell: readonly [program: string, flag: string] | undefined
  /** Each directory, as the steps that lead there from the directory of the command. */
  readonly directories: ReadonlyArray<ReadonlyArray<string>>
}

/** A directory that a word names whatever the state of the shell: no home, and no earlier directory. */
const isPlain = (word: Word | undefined): word is Word =>
  word !== undefined && !word.isPattern && !/^[-~+]|^$/.test(word.text)

/** Steps of the options `-C`. */
const stepsOf = ([, first, second, ...rest]: ReadonlyArray<Word>): ReadonlyArray<string> | undefined => {
  if (first?.text === "--no-pager") return stepsOf([first, ...second === undefined ? [] : [second], ...rest])
  if (first?.text !== "-C") return []
  const more = isPlain(second) ? stepsOf([second, ...rest]) : undefined
  return more === undefined ? undefined : [second!.text, ...more]
}

/** Where the commands of a look run git. Undefined: that is not known. */
const directoriesOf = (commands: ReadonlyArray<ReadonlyArray<Word>>): GitUse["directories"] | undefined => {
  // The directory of a `cd` that failed, or that a pipe has in a shell of its own, is not that of the next command: each counts.
  let places: ReadonlyArray<ReadonlyArray<string>> | undefined = [[]]
  const all: Array<ReadonlyArray<string>> = []
  for (const words of commands) {
    if (words[0]?.text === "cd") {
      places = places?.length === 1 && words.length === 2 && isPlain(words[1])
        ? [[], [words[1].text]]
        : undefined
    }
    if (words[0]?.text !== "git") continue
    const steps = stepsOf(words)
    if (steps === undefined || places === undefined) return undefined
    all.push(...places.map((place) => [...place, ...steps]))
  }
  return all
}

/** Where a look runs git: git's configuration decides what else runs. Undefined: that is not known. */
export const gitUseOf = ({ command }: Pick<CommandStart, "command">): GitUse | undefined => {
  const text = shellTextOf(command)
  const directories = directoriesOf(text === undefined ? [asWords(command)] : text.commands ?? [])
  return directories && { shell: text && [text.shell, text.flag], directories }
}
