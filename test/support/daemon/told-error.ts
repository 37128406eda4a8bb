import { assert } from "vitest"

/** An error as `--json` prints it: its code, its message, and the fields of its kind. */
interface ToldError extends Readonly<Record<string, unknown>> {
  readonly code: string
  readonly message: string
}

/** The error that a command with `--json` printed. */
export const toldError = ({ stdout }: { readonly stdout: Buffer | string }): ToldError => {
  const { error } = JSON.parse(stdout.toString() || "{}") as { readonly error?: ToldError }
  assert.isDefined(error, stdout.toString())
  return error!
}
