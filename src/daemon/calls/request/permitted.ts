import { Effect } from "effect"
import { InvalidRequest, NotPermitted } from "../../../contract/errors/errors.ts"
import type { CliSurface } from "../../../contract/rows/operation.ts"
import type { Operation } from "../../../contract/rows/operations.ts"
import { snakeCase } from "../../../contract/text/snake.ts"
import { boundPlaces, type CallerPlaces } from "../../../contract/wire/caller-project.ts"
import { type Identity, identityOf, ROLES } from "../../../contract/wire/identity.ts"
import { spoolIdOf } from "../../../contract/wire/spool.ts"
import { every, type Wrap } from "../wrap.ts"
import { leastRoles } from "./least-role.ts"
import type { RequestCall, Surroundings } from "./request.ts"

/** No path of the host is one of a client over the network. */
const nowhere: CallerPlaces = { reading: [], writing: [] }

const refusalOf = ({ name: operation }: Operation, { role }: Identity) => {
  const least = leastRoles[operation]
  if (least !== "nobody" && ROLES.indexOf(role) >= ROLES.indexOf(least)) return undefined
  return new NotPermitted({
    operation,
    role,
    detail: least === "nobody"
      ? "it is for the owner of the machine alone, at the machine or through ssh"
      : `it needs the role ${least}`
  })
}

/** Fields whose values the host would look up for the client, by their names in JSON. The host may reach what the client must not. */
const LOOKED_UP = ["repo_url", "registry_auth"]

const isSpooled = (value: unknown) => typeof value === "string" && spoolIdOf(value.split("/", 1)[0]!) !== undefined

/** Fields that make an environment, by their names in JSON: environments are the host's. */
const BUILT = ["devcontainer", "dockerfile"]

/** The refusal of a field that names a path of this host, or what this host would fetch with its own network and logins. */
const pathRefusal = ({ cli }: Operation, payload: object) => {
  const { hostPaths = [] }: CliSurface = cli
  for (const [name, value] of Object.entries(payload)) {
    const field = snakeCase(name)
    if (value === undefined || value === "-") continue
    // Files that the client has sent are its own.
    if (hostPaths.includes(field) && !isSpooled(value)) {
      return new InvalidRequest({ field, detail: "a client over the network cannot name a path of the server" })
    }
    if (BUILT.includes(field)) {
      return new InvalidRequest({
        field,
        detail: "the server builds no environment for clients over the network; name one that it has"
      })
    }
    if (LOOKED_UP.includes(field)) {
      return new InvalidRequest({
        field,
        detail: "the server fetches nothing for clients over the network; fetch it in the workspace"
      })
    }
  }
  return undefined
}

/** Fails if the workspace would be of an image that this host does not have. */
const demandKnown = (payload: object, environments: NonNullable<Surroundings["environments"]>) => {
  const { environment } = payload as { readonly environment?: unknown }
  return typeof environment !== "string"
    ? Effect.void
    : Effect.flatMap(environments, (names) =>
      names.includes(environment)
        ? Effect.void
        : new InvalidRequest({
          field: "environment",
          detail: `this server has no ${environment}; it has ${names.join(", ")}`
        }))
}

/**
 * Refuses what the token of the caller does not reach: operations above its role, paths of the host, fetches by the host, and environments that the host's
 * owner has not made. Which workspaces it reaches is decided where they are found, by its tenant.
 *
 * Needs the identity of the headers. Stands inside of the check, whose payload it reads, and outside of every line with an effect on the work.
 */
export const permitted: Wrap<RequestCall, Pick<Surroundings, "environments">> = {
  name: "permitted",
  does: "refuses what the token of a client over the network does not reach",
  because: "inside of the check, whose payload it reads",
  concerns: every,
  around: (row, call, { environments = Effect.succeed([]) }) => (payload, request) => {
    const identity = identityOf(request.headers)
    if (identity === undefined) return call(payload, request)
    const refusal = refusalOf(row, identity) ?? pathRefusal(row, payload as object)
    if (refusal !== undefined) return refusal
    return Effect.andThen(
      demandKnown(payload as object, environments),
      Effect.provideService(call(payload, request), boundPlaces, nowhere)
    )
  }
}
