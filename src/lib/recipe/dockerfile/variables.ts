/**
 * Variables of a Dockerfile, as the builder's own program replaces them (`ProcessWord` of github.com/openshift/imagebuilder, which buildah uses). A
 * value that this file cannot know is `undefined`.
 */
export type Values = ReadonlyMap<string, string | undefined>

/** Variables that the builder has by itself, on its only platform. */
export const BUILTIN: Values = new Map(
  ["TARGET", "BUILD"].flatMap((side) => [
    [`${side}PLATFORM`, "linux/amd64"],
    [`${side}OS`, "linux"],
    [`${side}ARCH`, "amd64"],
    [`${side}VARIANT`, ""]
  ])
)

/** Maximum levels of a default within a default. */
const MOST_LEVELS = 8

/** Maximum characters of a word with its values. Many lines such as `ARG A=$A$A` would otherwise need all memory. */
const MOST_CHARACTERS = 4096

/** The word has a form that this file does not know, or a value that is unknown before the build. */
class Unknown extends Error {}

const unknown = (): never => {
  throw new Unknown()
}

/** Reads one word from its begin to its end, or to the `}` of its variable. */
class Reader {
  private at = 0
  private readonly word: string
  private readonly valueOf: (name: string) => string | undefined

  constructor(word: string, valueOf: (name: string) => string | undefined) {
    this.word = word
    this.valueOf = valueOf
  }

  read(level: number, end?: string): string {
    if (level > MOST_LEVELS) unknown()
    let text = ""
    while (this.at < this.word.length) {
      const character = this.word[this.at]!
      if (character === end) {
        this.at++
        return text
      }
      text += character === "'"
        ? this.single()
        : character === "\""
        ? this.double(level)
        : character === "$"
        ? this.variable(level)
        : character === "\\"
        ? this.next(2).slice(1)
        : this.next(1)
      if (text.length > MOST_CHARACTERS) unknown()
    }
    return end === undefined ? text : unknown()
  }

  private next(count: number): string {
    const text = this.word.slice(this.at, this.at + count)
    this.at += count
    return text
  }

  private single(): string {
    const close = this.word.indexOf("'", this.at + 1)
    if (close === -1) return unknown()
    const text = this.word.slice(this.at + 1, close)
    this.at = close + 1
    return text
  }

  private double(level: number): string {
    this.at++
    let text = ""
    while (this.at < this.word.length) {
      const character = this.word[this.at]!
      if (character === "\"") {
        this.at++
        return text
      }
      text += character === "$"
        ? this.variable(level)
        : character === "\\" && /^["$\\]/.test(this.word.slice(this.at + 1))
        ? this.next(2).slice(1)
        : this.next(1)
      if (text.length > MOST_CHARACTERS) unknown()
    }
    return unknown()
  }

  private variable(level: number): string {
    this.at++
    const isBraced = this.word[this.at] === "{"
    if (isBraced) this.at++
    const [name = ""] = /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9])/.exec(this.word.slice(this.at, this.at + MOST_CHARACTERS)) ??
      []
    this.at += name.length
    if (!isBraced) return name === "" ? "$" : this.valueOf(name) ?? unknown()
    const [operator = ""] = /^(?:\}|:[-+?])/.exec(this.word.slice(this.at, this.at + 2)) ?? []
    // Only the builder evaluates patterns, such as ${NAME#v}.
    if (operator === "" || name === "") return unknown()
    this.at += operator.length
    const value = this.valueOf(name) ?? unknown()
    if (operator === "}") return value
    const other = this.read(level + 1, "}")
    return operator === ":+" ? (value === "" ? "" : other) : value === "" ? other : value
  }
}

/** A word with its values. An absent variable is empty, as in the builder. `undefined`: unknown before the build. */
export const replaced = (
  word: string,
  values: Values,
  absent: string | undefined = ""
): string | undefined => {
  if (word.length > MOST_CHARACTERS) return undefined
  try {
    return new Reader(word, (name) => values.has(name) ? values.get(name) : absent).read(0)
  } catch (error) {
    if (error instanceof Unknown) return undefined
    throw error
  }
}
