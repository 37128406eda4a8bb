import { parseArgs } from "node:util"

export interface Options {
  readonly runs: number
  /** Rows whose name contains this; `floors` measures the floors alone. */
  readonly only: string | undefined
  /** File for the report as JSON. */
  readonly json: string | undefined
  readonly help: boolean
}

export const usage = `usage: npm run bench -- [--runs N] [--only NAME] [--json FILE]

  --runs N     how often restores and processes are measured (15); other rows follow from it
  --only NAME  one row, or "floors": the floors alone
  --json FILE  write the report to FILE as well`

/** Fails with a sentence about the problem. */
export const parseOptions = (argv: ReadonlyArray<string>, names: ReadonlyArray<string>): Options => {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      runs: { type: "string", default: "15" },
      only: { type: "string" },
      json: { type: "string" },
      help: { type: "boolean", short: "h", default: false }
    }
  })
  const runs = Number(values.runs)
  if (!Number.isInteger(runs) || runs < 1 || runs > 1000) throw new Error("--runs takes a number from 1 to 1000")
  if (values.only !== undefined && !names.includes(values.only)) {
    throw new Error(`there is no row ${values.only}; there are ${names.join(", ")}`)
  }
  return { runs, only: values.only, json: values.json, help: values.help }
}
