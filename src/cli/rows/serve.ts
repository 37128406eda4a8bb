import { Schema } from "effect"
import type { ErrorTag } from "../../contract/errors/errors.ts"
import { type CliSurface, lazy } from "../../contract/rows/operation.ts"
import { between, defaulted, optional, text } from "../../contract/text/fields.ts"
import { snakeStruct } from "../../contract/text/snake.ts"
import { ROLES } from "../../contract/wire/identity.ts"
import { flag } from "./flag.ts"

// These commands are for the person whose machine serves others. They are no operations, so that no client and no model can call them.

const row = <Name extends string, P>(command: {
  readonly name: Name
  readonly summary: string
  readonly description: string
  readonly cli: CliSurface
  readonly errors: ReadonlyArray<ErrorTag>
  readonly payload: () => P
}) => command

const serve = row({
  name: "serve",
  summary: "Let pyro on other machines use this one",
  description:
    "--stdio serves one client: `pyro --context NAME` of another machine starts it through ssh. --listen serves every client that has a token of " +
    "`pyro serve token add`, over TLS 1.3, until it gets SIGTERM. The daemon starts if none runs.",
  cli: {
    path: ["serve"],
    args: [],
    hostPaths: ["tls_cert", "tls_key", "client_ca"],
    exits: "own",
    examples: [
      "ssh bench pyro serve --stdio",
      "pyro serve --listen 0.0.0.0:7340 --tls-cert server.pem --tls-key server.key"
    ]
  },
  errors: [],
  payload: lazy(() =>
    snakeStruct({
      stdio: flag("Serve one client on stdin and stdout"),
      listen: optional(text("Address to listen at: HOST:PORT. Without TLS, only an address of the loopback")),
      tlsCert: optional(text("File with the certificate chain of the server, in PEM. A renewed file is taken over")),
      tlsKey: optional(text("File with the key of --tls-cert")),
      clientCa: optional(
        text("File with the certificates of an authority. Each client then needs a certificate of it beside its token")
      )
    })
  )
})

const name = text("Name of the token")

const tokenAdd = row({
  name: "serve.token.add",
  summary: "Make a token for clients of other machines",
  description:
    "Prints the token once: pyro keeps its hash alone. A token belongs to a tenant, and reaches the workspaces and snapshots of this tenant only.",
  cli: {
    path: ["serve", "token", "add"],
    args: ["name"],
    exits: "own",
    examples: [
      "pyro serve token add ci --expires 30d",
      "pyro serve token add alice --tenant research --role viewer"
    ]
  },
  errors: [],
  payload: lazy(() =>
    snakeStruct({
      name,
      tenant: optional(text("Tenant whose workspaces and snapshots the token reaches. Default: the name of the token")),
      role: defaulted(
        Schema.Literals(ROLES).annotate({
          description: "`viewer`: looks. `user`: works with workspaces of the tenant. `owner`: also looks at this host"
        }),
        () => "user" as const
      ),
      expires: defaulted(text("Time until the token ends, such as 12h or 90d, a date, or never"), () => "90d")
    })
  )
})

const tokenList = row({
  name: "serve.token.list",
  summary: "List the tokens",
  description: "Shows the name, the tenant, the role and the end of each token. No token itself is shown again.",
  cli: { path: ["serve", "token", "list"], args: [], exits: "own", examples: ["pyro serve token list"] },
  errors: [],
  payload: lazy(() => Schema.Struct({}))
})

const tokenRevoke = row({
  name: "serve.token.revoke",
  summary: "Revoke a token",
  description: "Its connections end within a second. The workspaces of its tenant stay.",
  cli: {
    path: ["serve", "token", "revoke"],
    args: ["name"],
    exits: "own",
    examples: ["pyro serve token revoke ci"]
  },
  errors: [],
  payload: lazy(() => Schema.Struct({ name }))
})

const limit = (what: string) =>
  optional(between({ from: 0, to: 1_073_741_824, description: `Maximum ${what}. Default: no limit` }))

const quota = row({
  name: "serve.quota",
  summary: "Limit what a tenant has",
  description:
    "Sets the quotas of a tenant, from its next request on: options that are left out mean no limit. Workspaces count whether they run or not. Without any option, " +
    "shows the quotas.",
  cli: {
    path: ["serve", "quota"],
    args: ["tenant"],
    exits: "own",
    examples: [
      "pyro serve quota research",
      "pyro serve quota research --workspaces 20 --memory-mib 32768 --vcpus 16 --disk-mib 200000 --commands 50"
    ]
  },
  errors: [],
  payload: lazy(() =>
    snakeStruct({
      tenant: text("Name of the tenant"),
      workspaces: limit("number of workspaces"),
      memoryMib: limit("memory of all workspaces together, in MiB"),
      vcpus: limit("processors of all workspaces together"),
      diskMib: limit("disk space of all workspaces together, in MiB"),
      commands: limit("number of commands that run at a time")
    })
  )
})

export const serveCommands = [serve, tokenAdd, tokenList, tokenRevoke, quota] as const
export type ServeCommand = typeof serveCommands[number]
