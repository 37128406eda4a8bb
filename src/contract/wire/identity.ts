import { Context, Effect, Option, Schema } from "effect"

/** What a token may do: look, work, or also see to the machine. */
export const ROLES = ["viewer", "user", "owner"] as const

/** Name of a tenant or of a token. */
export const IDENTITY_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/

const Name = Schema.String.check(Schema.isPattern(IDENTITY_NAME))

/** On whose behalf a request comes over the network. */
export const Identity = Schema.Struct({
  /** Whose workspaces and snapshots the request may reach. */
  tenant: Name,
  role: Schema.Literals(ROLES),
  /** Id of the token. It is no secret. */
  token: Schema.String,
  /** Name of the token. */
  name: Name,
  /** Address of the client, as the door sees it. */
  address: Schema.String
})
export type Identity = typeof Identity.Type

/** The identity of this fiber's request. Undefined: the person that owns this machine, who reaches everything. */
export const callerIdentity: Context.Reference<Identity | undefined> = Context.Reference(
  "pyro/contract/callerIdentity",
  { defaultValue: (): Identity | undefined => undefined }
)

/** The tenant of this fiber's request. Undefined: the person that owns this machine. */
export const callerTenant: Effect.Effect<string | undefined> = Effect.map(callerIdentity, (caller) => caller?.tenant)

/** Whether a request of the tenant may reach what belongs to `of`. What has no tenant belongs to the machine's owner. */
export const isOfTenant = (tenant: string | undefined, of: string | undefined): boolean =>
  tenant === undefined || tenant === of

/** Header with the identity of a request. The daemon itself sets it for each request of a door, whatever the client has sent. */
export const IDENTITY_HEADER = "pyro-identity"

const InText = Schema.fromJsonString(Identity)
const read = Schema.decodeUnknownOption(InText)
const write = Schema.encodeSync(InText)

/** First word of the line with which a door begins each of its connections to the daemon. */
const WORD = "pyro-door-1 "

/** Maximum bytes of the line. */
export const DOOR_LINE_BYTES = 4_096

/** The line for an identity, with its line break. The client's bytes come behind it. */
export const doorLine = (identity: Identity): string => `${WORD}${write(identity)}\n`

/** The identity of a door's line without its line break, as text of the header. Throws if there is none. */
export const identityOfLine = (line: string): string => {
  if (!line.startsWith(WORD)) throw new Error("the line of a door says for whom a connection is")
  const text = line.slice(WORD.length)
  if (Option.isNone(read(text))) throw new Error("the line of a door has no identity")
  return text
}

/** The identity of a request's headers. One that cannot be read is no identity, and no owner: it fails. */
export const identityOf = (headers: Readonly<Record<string, string | undefined>>): Identity | undefined => {
  const text = headers[IDENTITY_HEADER]
  return text === undefined ? undefined : Option.getOrThrow(read(text))
}

/** An id that a client mints, as the daemon keeps it: a client of one token never meets what a client of another one has begun. */
export const ownedId = (caller: Identity | undefined, id: string): string =>
  caller === undefined ? id : `${caller.token}/${id}`
