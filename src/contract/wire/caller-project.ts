import { Context, Effect, Option, Schema } from "effect"
import { ceilingText, type NetworkCeiling, noNetwork, readCeiling } from "../rows/network-ceiling.ts"
import { clientName } from "../text/client-name.ts"
import { THIS_HOST } from "../text/this-host.ts"
import { withGitPlaces } from "./git-places.ts"
import { callerTenant } from "./identity.ts"
import { keepAliveHeader, withKeepAlive } from "./keep-alive.ts"

/** Directories of the host that a request may name paths in, by their real paths. */
export interface CallerPlaces {
  readonly reading: ReadonlyArray<string>
  readonly writing: ReadonlyArray<string>
}

/** The project of a request, if its surface is bound to one. */
export interface CallerProject {
  /** Absolute path on the host, or the URL of a repository; empty when the surface is bound to no project. */
  readonly project: string
  /** The request may also reach workspaces of other projects. */
  readonly all: boolean
  /** Name and version of the MCP client in its own words, of at most 60 printable characters. For people to read: it proves nothing. */
  readonly client?: string | undefined
  /** Widest network that the request may grant. @default off */
  readonly networkCeiling?: NetworkCeiling
  /** The only directories of the host that the request may reach. @default each that the user may */
  readonly places?: CallerPlaces | undefined
}

/** The caller of this fiber. Undefined: a person or a program, who reach every workspace. */
export const callerProject: Context.Reference<CallerProject | undefined> = Context.Reference(
  "pyro/contract/callerProject",
  {
    defaultValue: (): CallerProject | undefined => undefined
  }
)

/** The only directories of the host that this fiber's request may reach, as the daemon sets them. @default those of the caller */
export const boundPlaces: Context.Reference<CallerPlaces | undefined> = Context.Reference(
  "pyro/contract/boundPlaces",
  {
    defaultValue: (): CallerPlaces | undefined => undefined
  }
)

/** Header of a request to the daemon that carries the caller's project. */
const PROJECT_HEADER = "pyro-project"

/** Header that carries the caller's network ceiling. */
const CEILING_HEADER = "pyro-network-ceiling"

/** Header that carries the caller's directories of the host. */
const PLACES_HEADER = "pyro-places"

/** Header that carries the name of the caller's MCP client. */
const CLIENT_HEADER = "pyro-client"

const Places = Schema.fromJsonString(
  Schema.Struct({ reading: Schema.Array(Schema.String), writing: Schema.Array(Schema.String) })
)
const noPlaces: CallerPlaces = { reading: [], writing: [] }
const readPlaces = Schema.decodeOption(Places)
const writePlaces = Schema.encodeSync(Places)

/** The headers that carry the project of this fiber, and whether a handle holds its workspace. */
export const projectHeaders: Effect.Effect<Readonly<Record<string, string>>> = Effect.zipWith(
  callerProject,
  keepAliveHeader,
  (caller, held): Readonly<Record<string, string>> =>
    caller === undefined ? held : {
      [PROJECT_HEADER]: `${caller.all ? "+" : "-"}${caller.project}`,
      [CEILING_HEADER]: ceilingText(caller.networkCeiling ?? noNetwork),
      ...(caller.places === undefined ? {} : { [PLACES_HEADER]: writePlaces(caller.places) }),
      ...(caller.client === undefined ? {} : { [CLIENT_HEADER]: caller.client })
    }
)

/** Handles a request as one of the project that its headers name. */
export const forCaller =
  (headers: Readonly<Record<string, string | undefined>>) =>
  <A, E, R>(asked: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    const work = withKeepAlive(headers)(withGitPlaces(headers)(asked))
    const header = headers[PROJECT_HEADER]
    const places = headers[PLACES_HEADER]
    const client = clientName(headers[CLIENT_HEADER] ?? "")
    return header === undefined
      ? work
      : Effect.provideService(work, callerProject, {
        project: header.slice(1),
        all: header.startsWith("+"),
        networkCeiling: readCeiling(headers[CEILING_HEADER] ?? "") ?? noNetwork,
        // Unreadable directories count as none.
        places: places === undefined ? undefined : Option.getOrElse(readPlaces(places), () => noPlaces),
        ...(client === undefined ? {} : { client })
      })
  }

/**
 * Widest network of a tenant: public hosts. The addresses, the loopback and the ports of this machine belong to its owner. `own`: what the client says
 * of itself.
 */
const ceilingOfTenant = (own: NetworkCeiling | undefined): NetworkCeiling => {
  if (own === undefined) return { networkPolicy: "egress", allowHosts: [] }
  const allowHosts = own.allowHosts.filter((host) => !host.toLowerCase().includes(THIS_HOST))
  return own.networkPolicy === "off" || allowHosts.length < own.allowHosts.length
    ? noNetwork
    : { networkPolicy: "egress", allowHosts }
}

/** Widest network that a request of this fiber may grant. Undefined: the owner of this machine or a program of it, who may grant any. */
export const callerCeiling: Effect.Effect<NetworkCeiling | undefined> = Effect.zipWith(
  callerProject,
  callerTenant,
  (caller, tenant) => {
    const own = caller === undefined ? undefined : caller.networkCeiling ?? noNetwork
    return tenant === undefined ? own : ceilingOfTenant(own)
  }
)

/** Whether a request of the caller may reach a workspace: one of its project, or of a directory beneath. */
export const isReachable = (
  caller: CallerProject | undefined,
  { project, seedPath }: { readonly project?: string | undefined; readonly seedPath?: string | undefined }
): boolean => {
  if (caller === undefined || caller.all) return true
  const of = project ?? seedPath
  if (of === caller.project) return true
  return of !== undefined && caller.project.startsWith("/") &&
    of.startsWith(caller.project === "/" ? "/" : `${caller.project}/`)
}
