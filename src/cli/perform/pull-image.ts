import { Effect } from "effect"
import { environmentPull, type PullPayload } from "../../contract/rows/environment.ts"
import { nextVm } from "../../contract/rows/next-vm-fields.ts"
import type { OperationName } from "../../contract/rows/operations.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import type { CreatePayload } from "../../contract/rows/workspace-lifecycle.ts"
import { parseArchive } from "../../contract/text/image-archive.ts"
import { parseReference } from "../../contract/text/image-reference.ts"
import { withProgress } from "../output/progress.ts"
import { pullWithLogins } from "./logins.ts"

/** Operations whose environment may be an image that is not on this host yet. */
const STARTING: ReadonlyArray<OperationName> = ["workspace.create", "run"]

/**
 * Pulls the image that a person named as the environment of a new workspace or run, if no environment has its name. Programs and
 * models pull by themselves, or not at all: only a person's own command line reaches a registry unasked. Gives the payload without the logins that
 * the pull used.
 */
export const pullImageOf = <P>(pyro: PyroService, operation: OperationName, payload: P) =>
  Effect.gen(function*() {
    if (!STARTING.includes(operation)) return payload
    const { environment, fromSnapshot, registryAuth, tokenHosts, ...rest } = payload as Partial<CreatePayload>
    const reference = environment === undefined || fromSnapshot !== undefined
      ? undefined
      : parseReference(environment) ?? parseArchive(environment)
    if (reference === undefined) return payload
    const starting = { environment, ...rest } as P
    const { environments } = yield* pyro.env.list({})
    if (environments.some(({ name }) => name === reference.name)) return starting
    const asked: PullPayload = yield* pullWithLogins({
      environment: reference.name,
      force: false,
      ...nextVm(rest),
      ...(registryAuth === undefined ? {} : { registryAuth }),
      ...(tokenHosts === undefined ? {} : { tokenHosts })
    })
    yield* withProgress(environmentPull, asked, pyro.env.pull(asked))
    return starting
  })
