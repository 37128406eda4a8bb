import type { Effect, Scope } from "effect"
import type { HostToolMissing } from "../../contract/errors/errors.ts"
import { runsMicroVms } from "../settings/this-computer.ts"
import type { PutFailed } from "./put-failed.ts"
import { putHere } from "./put-here.ts"
import { putByProgram } from "./put-program.ts"
import type { PutRequest, SparsePut } from "./put-request.ts"

export { PutFailed } from "./put-failed.ts"
export type { Put, PutDone, PutRequest, SparsePut } from "./put-request.ts"

/**
 * Checks for conflicts and free space, and writes nothing yet. Later output is in a staging folder until `commit`. If the Scope closes
 * before, nothing stays. A computer that runs no microVMs has no pyro-put: this process writes there.
 */
export const put = (request: PutRequest): Effect.Effect<SparsePut, PutFailed | HostToolMissing, Scope.Scope> =>
  runsMicroVms() ? putByProgram(request) : putHere(request)
