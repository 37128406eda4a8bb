import { Effect } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import type { CliSurface } from "../../contract/rows/operation.ts"
import type { Operation } from "../../contract/rows/operations.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import type { RunPayload } from "../../contract/rows/run.ts"
import { isImageName, parseArchive } from "../../contract/text/image-archive.ts"
import { parseReference } from "../../contract/text/image-reference.ts"
import { typed } from "../../contract/text/printable.ts"
import { shortPath } from "../arguments/aliases.ts"
import { afterDefault, afterEnvironment } from "../arguments/corrections.ts"

/** The error of a command line without a command for the guest. */
export const nothingToRun = (cli: CliSurface, operands: ReadonlyArray<string>, workspace?: string): InvalidRequest => {
  const meant = afterEnvironment(cli, operands) ??
    (operands[0] === workspace ? undefined : afterDefault(cli, operands, { workspace })) ??
    `for example: ${typed(["pyro", ...shortPath(cli.path), ...operands.length === 0 ? ["debian:12"] : operands, "ls"])}`
  return new InvalidRequest({ field: "command", detail: `nothing to run; ${meant}` })
}

const isImage = (environment: string) => (parseReference(environment) ?? parseArchive(environment)) !== undefined

/** Whether an environment may have a command of its own: an image, or one with a name that the person gave. */
export const mayHaveCommand = (environment: unknown): environment is string =>
  typeof environment === "string" && environment !== "" && !/^(debian|builder)(:|$)/.test(environment)

/** Fails if `run` has no command, and its environment was not made of an image: only an image has a command of its own. */
export const demandCommand = (pyro: PyroService, { cli, name }: Operation, payload: unknown) =>
  Effect.gen(function*() {
    if (name !== "run") return
    const { command, environment, script, tty } = payload as RunPayload
    if (command.length > 0 || script !== undefined || tty || isImage(environment)) return
    const { environments } = yield* pyro.env.list({})
    const isOfImage = (name: string): boolean => {
      const one = environments.find((known) => known.name === name)
      if (one === undefined) return isImageName(name)
      return one.origin === "image" || one.fromWorkspace !== undefined ||
        one.from !== undefined && one.from !== name && isOfImage(one.from)
    }
    if (!isOfImage(environment)) return yield* nothingToRun(cli, [environment])
  })
