import { Context } from "effect"

/** How a command line wants to be told of its work. */
export class Manner extends Context.Reference<Manner>()("pyro/cli/Manner", {
  defaultValue: (): {
    /** Nothing is said beside the result and errors. */
    readonly quiet: boolean
    /** Switches of the command that are on, by their names without dashes. */
    readonly switches: ReadonlySet<string>
  } => ({ quiet: false, switches: new Set() })
}) {}
