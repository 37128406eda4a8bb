import { Effect } from "effect"
import { InvalidRequest } from "../contract/errors/errors.ts"
import type { CliSurface } from "../contract/rows/operation.ts"
import { type Operation, operations } from "../contract/rows/operations.ts"
import type { Typed } from "./parser.ts"

interface Request {
  readonly operation: Operation
  readonly raw: Typed["raw"]
}

/** Turns a read with an `export` flag into an export, which has no limit of size. */
export const asExport = (
  operation: Operation,
  { extras, raw }: Pick<Typed, "extras" | "raw">
): Effect.Effect<Request, InvalidRequest> => {
  const cli: CliSurface = operation.cli
  const found =
    Object.entries(cli.extras ?? {}).flatMap(([flag, extra]) =>
      extra._tag === "export" ? [{ flag, exports: extra.operation }] : []
    )[0]
  const output = found && extras[found.flag]
  if (found === undefined || output === undefined) return Effect.succeed({ operation, raw })
  const { allow_secrets: allowSecrets, path, workspace, ...others } = raw
  const other = Object.keys(others)[0]
  if (other !== undefined) {
    return new InvalidRequest({
      field: `--${other.replaceAll("_", "-")}`,
      detail: `cannot be combined with --${found.flag}`
    })
  }
  return Effect.succeed({
    operation: operations.find(({ name }) => name === found.exports)!,
    raw: {
      workspace,
      path,
      output,
      ...(allowSecrets === undefined ? {} : { allow_secrets: allowSecrets }),
      overwrite: extras["overwrite"] !== undefined,
      // Bytes on their way to a pipe are in no place where a tool would find them.
      allow_executable_config: extras["allow-executable-config"] !== undefined || output === "-"
    }
  })
}
