/** How a mode narrows a tool of the table of operations. */
export interface Narrowing {
  /** Arguments that a model may give. Those that ask for a network exist only if the server may grant one. */
  readonly arguments: ReadonlyArray<string>
  /** Arguments that the mode decides, with their values. A model does not see them, and cannot give another value. */
  readonly fixed?: Readonly<Record<string, string | number | boolean>>
  /** Fields that the mode gives where a model does not give the argument `unless`. */
  readonly filled?: { readonly unless: string; readonly fields: Readonly<Record<string, string>> }
  /** The tool's text for a model in this mode. @default the tool's own */
  readonly description?: string
}

/** The message with which a person begins the story of a mode. */
export interface Prompt {
  readonly description: string
  /** The only argument, which a person may leave out. Claude Code gives each argument one word, so that a second would get the second word. */
  readonly argument: { readonly name: string; readonly description: string }
  /** The message with the argument. */
  readonly text: (given?: string) => string
}

/** A server for one kind of task: few tools with few arguments, instructions for the task, and a prompt that begins the task. */
export interface Mode<Name extends string = string> {
  readonly name: Name
  /** When to use the mode, for people. */
  readonly use: string
  /** Narrowed tools by their names. */
  readonly tools: Readonly<Record<string, Narrowing>>
  /** Instructions for a model, one paragraph each. */
  readonly instructions: ReadonlyArray<string>
  readonly prompt: Prompt
}

/** Keeps the name of a mode as its type. */
export const mode = <const Name extends string>(row: Mode<Name>): Mode<Name> => row
