import { Effect } from "effect"
import { InvalidRequest, type NoSpace, type StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import { redactValue } from "../../../redaction/redact.ts"
import { secretIn } from "../../../redaction/refuse.ts"
import type { SecretSet } from "../../../redaction/secrets.ts"
import type { Services } from "./services.ts"
import { comesBack } from "./state.ts"

const heldBy = (service: string, secret: string) =>
  new InvalidRequest({
    field: "secrets",
    detail:
      `the service ${service} has the value of ${secret} in its command, variables or check, and pyro stores them while the service ` +
      `runs or is to come back. Stop the service first: pyro service stop NAME ${service}. Then add the secret, and start the ` +
      `service with --secret-env ${secret}`
  })

/**
 * Takes the values of new secrets out of the stored services. Fails for a service that pyro may start again, because its record needs the
 * value. A service that has ended for good gives the value up.
 */
export const takeOutValues = (
  services: Services,
  set: SecretSet | undefined
): Effect.Effect<void, InvalidRequest | NoSpace | StateDirectoryUnusable> =>
  Effect.gen(function*() {
    if (set === undefined) return
    const all = services.all()
    for (const one of all) {
      const secret = secretIn(set, one.options)
      if (secret !== undefined && (one.end === undefined || comesBack(one))) return yield* heldBy(one.name, secret)
    }
    for (const { end, options, ...one } of all) {
      if (end === undefined || secretIn(set, { end, options }) === undefined) continue
      yield* services.put({ ...one, ...redactValue([set], { end, options }) })
    }
  })
