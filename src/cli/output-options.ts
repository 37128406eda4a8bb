import { Context } from "effect"

/** Options of a command line's output. */
export interface OutputOptions {
  /** Print the result and errors only. */
  readonly quiet: boolean
  /** Names of the given switches, without dashes. */
  readonly switches: ReadonlySet<string>
}

export const OutputOptions: Context.Reference<OutputOptions> = Context.Reference("pyro/cli/OutputOptions", {
  defaultValue: (): OutputOptions => ({ quiet: false, switches: new Set() })
})
