import { Context } from "effect"

/** Options of a command line's output. */
export class OutputOptions extends Context.Reference<OutputOptions>()("pyro/cli/OutputOptions", {
  defaultValue: (): {
    /** Print the result and errors only. */
    readonly quiet: boolean
    /** Names of the given switches, without dashes. */
    readonly switches: ReadonlySet<string>
  } => ({ quiet: false, switches: new Set() })
}) {}
