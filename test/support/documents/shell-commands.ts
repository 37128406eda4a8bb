/** One command of a shell script, with everything up to the end of its line or of its loop. */
export interface ShellCommand {
  /** As it is run: without comments. */
  readonly text: string
  /** Lines of the script in front of it. */
  readonly line: number
  /** The words of every program that it calls, quotes removed and variables left as they are. */
  readonly calls: ReadonlyArray<ReadonlyArray<string>>
}

const OPENING = new Set(["if", "for", "while", "until", "case", "{"])
const CLOSING = new Set(["fi", "done", "esac", "}"])
/** Words behind which a command begins. */
const LEADING = new Set(["if", "while", "until", "do", "then", "else", "elif", "!", "{", "}", "fi", "done", "sudo"])

/** Reads the shell language as far as examples use it: quotes, comments, pipes, lists, loops, substitutions and redirections. */
export const shellCommands = (script: string): ReadonlyArray<ShellCommand> => new Reader(script).commands()

class Reader {
  private at = 0
  private readonly script: string
  constructor(script: string) {
    this.script = script
  }

  commands(): ReadonlyArray<ShellCommand> {
    const found: Array<ShellCommand> = []
    while (this.at < this.script.length) {
      const line = this.script.slice(0, this.at).split("\n").length - 1
      const { calls, text } = this.list("\n")
      if (text.trim() !== "") found.push({ text: text.trim(), line, calls })
    }
    return found
  }

  /** Reads up to the end of a line, or to the `)` of a substitution. */
  private list(end: "\n" | ")"): { readonly text: string; readonly calls: Array<ReadonlyArray<string>> } {
    const calls: Array<ReadonlyArray<string>> = []
    let words: Array<string> = []
    let word: string | undefined
    let text = ""
    let depth = 0
    let isTarget = false
    const endWord = () => {
      if (word === undefined) return
      if (isTarget) isTarget = false
      else {
        if (words.length === 0 && OPENING.has(word)) depth += 1
        if (words.length === 0 && CLOSING.has(word)) depth -= 1
        const isAssignment = words.length === 0 && /^[A-Za-z_]\w*=/.test(word)
        if (words.length > 0 || !(LEADING.has(word) || isAssignment)) words.push(word)
      }
      word = undefined
    }
    const endCommand = () => {
      endWord()
      if (words.length > 0) calls.push(words)
      words = []
    }
    const quote = (until: string) => {
      const from = this.at
      while (this.at < this.script.length && this.script[this.at] !== until) {
        if (until === "\"" && this.script[this.at] === "\\") this.at += 1
        else if (until === "\"" && this.script.startsWith("$(", this.at)) {
          this.at += 2
          calls.push(...this.list(")").calls)
          continue
        }
        this.at += 1
      }
      const inside = this.script.slice(from, this.at)
      this.at += 1
      word = (word ?? "") + inside
      return until + inside + until
    }
    while (this.at < this.script.length) {
      const character = this.script[this.at]!
      this.at += 1
      if (character === end && depth === 0) break
      if (character === "'" || character === "\"") text += quote(character)
      else if (character === "\\") {
        const next = this.script[this.at] ?? ""
        this.at += 1
        text += character + next
        if (next !== "\n") word = (word ?? "") + next
      } else if (character === "#" && word === undefined) {
        while (this.at < this.script.length && this.script[this.at] !== "\n") this.at += 1
      } else if (character === "$" && this.script[this.at] === "(") {
        this.at += 1
        const inner = this.list(")")
        calls.push(...inner.calls)
        text += `$(${inner.text})`
        word = `${word ?? ""}$(${inner.text})`
      } else if (character === ">" || character === "<") {
        if (word !== undefined && /^\d$/.test(word)) word = undefined
        endWord()
        isTarget = true
        text += character
      } else if (character === "&" && isTarget) {
        text += character
      } else if (/[|&;\n()]/.test(character)) {
        endCommand()
        text += character
      } else if (/\s/.test(character)) {
        endWord()
        text += character
      } else {
        word = (word ?? "") + character
        text += character
      }
    }
    endCommand()
    return { text, calls }
  }
}
