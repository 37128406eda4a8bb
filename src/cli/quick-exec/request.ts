export interface Command {
  readonly workspace: string
  readonly command: ReadonlyArray<string>
}

/** A name or an id without anything that a shell or an option could mean. */
const NAME = /^[A-Za-z0-9][\w.-]{0,62}$/

/** A command line of the simplest forms, `workspace exec NAME [--] PROGRAM ARGS`; other forms are the parser's. */
export const commandOf = (argv: ReadonlyArray<string>): Command | undefined => {
  const [group, verb, workspace = "", ...words] = argv
  if (group !== "workspace" || verb !== "exec" || !NAME.test(workspace)) return undefined
  const [first, ...others] = words
  // An option stands before the command's first word.
  const command = first === "--" ? others : first?.startsWith("-") === true ? [] : words
  return command.length > 0 ? { workspace, command } : undefined
}
