import { Schema } from "effect"
import { between, boolean, defaulted, flag, integer, milliseconds, number, optional, string } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { allowOnceField, networkFields, OF_CHANGE } from "./network-fields.ts"
import { lazy, unary } from "./operation.ts"
import { at, settled, waits, withCommands } from "./states.ts"
import { workspaceField } from "./workspace-field.ts"
import { secondary, WorkspaceInfo } from "./workspace-info.ts"

const HostList = lazy(() =>
  Schema.Struct({
    name: string("Name of the list, as --allow-host takes it"),
    description: string("Programs that the list is for"),
    hosts: Schema.Array(Schema.String).annotate({ description: "Hosts of the list with their ports" })
  })
)

export const networkLists = unary({
  name: "network.lists",
  summary: "Show the named lists of hosts that --allow-host takes",
  description:
    "Shows the hosts of each name, such as npm or debian. A list has the hosts that the service's own clients need. Hosts of a list may also take " +
    "uploads.",
  cli: { path: ["network", "lists"], args: [], examples: ["pyro network lists"] },
  mcp: {
    tool: "network_lists",
    profiles: ["full"],
    title: "Lists of hosts",
    description: "Show the named lists of hosts that allow_hosts takes"
  },
  errors: [],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: lazy(() => Schema.Struct({})),
  result: lazy(() => Schema.Struct({ lists: Schema.Array(HostList()).annotate({ description: "The lists by name" }) }))
})

const full = { profiles: ["full"] } as const

export const NetworkSetPayload = lazy(() =>
  snakeStruct({ workspace: workspaceField(), ...networkFields(OF_CHANGE), ...allowOnceField() })
)
export type NetworkSetPayload = ReturnType<typeof NetworkSetPayload>["Type"]

const NetworkSetResult = lazy(() =>
  snakeStruct({
    workspace: WorkspaceInfo().annotate({ description: "The workspace with its new policy" }),
    resetCount: integer("Number of open connections that the new policy forbids and pyro reset"),
    revokedGrants: Schema.Array(Schema.String).annotate({
      description:
        "Grants of the policy before that the new policy does not have: lists, hosts and addresses as they were given, " +
        "`every public host`, `ports of a model`, `trust in this host's certificates`. Of a list that stays in part, the hosts that are gone"
    }),
    liftedDenials: Schema.Array(Schema.String).annotate({
      description: "Denied hosts of the policy before that the new policy allows"
    })
  })
)

export const workspaceNetworkSet = unary({
  name: "workspace.network.set",
  summary: "Replace the network policy of a workspace",
  description:
    "Grants the network that the options describe, and nothing else: rules of the policy before do not stay. Denied hosts, the trust in certificates and " +
    "no package cache, without a policy and without an allowed host or address, are added to the present policy. The policy holds at once, also " +
    "for running programs. pyro resets open connections that the new policy forbids. Reset, snapshots and forks keep the policy. A host that is " +
    "allowed once changes no policy.",
  cli: {
    path: ["workspace", "network", "set"],
    args: ["workspace"],
    flags: { allow_hosts: "allow-host", deny_hosts: "deny-host", allow_ips: "allow-ip", allow_once: "allow-once" },
    examples: [
      "pyro network set fix --allow-host npm --allow-host github",
      "pyro network set fix --allow-once example.com:443",
      "pyro network set fix --network-policy egress --deny-host '*.example.com'",
      "pyro network set fix --trust-host-certificates",
      "pyro network set fix --network-policy off"
    ]
  },
  mcp: {
    tool: "workspace_network_set",
    ...full,
    title: "Set the network policy",
    description: "Replace a workspace's network policy, within the server's ceiling",
    arguments: {
      workspace: {},
      network_policy: { description: "off, or egress: connections outwards" },
      allow_hosts: { description: "Only to these: NAME[:PORT], *.SUFFIX[:PORT] or a list of network_lists" },
      deny_hosts: { description: "Never to these. Alone: beside the present policy" },
      allow_once: { description: "Alone: one connection to NAME[:PORT] within ten minutes" }
    },
    omits: [...secondary, "detail", "seed_path", "secrets", "secret_http", "running_commands", "running"]
  },
  states: at(settled, waits),
  on: "residents",
  errors: ["ChannelFailed", "NetworkAboveCeiling", "NetworkUnsupported"],
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: true },
  payload: NetworkSetPayload,
  result: NetworkSetResult
})

/** One connection or look-up that has ended or was denied. */
export const NetworkRecord = lazy(() =>
  snakeStruct({
    number: integer("Number of the entry in the workspace's log, from 1 on"),
    at: string("Time of the guest's request, ISO 8601"),
    kind: Schema.Literals(["connection", "datagrams", "lookup", "flood"]).annotate({
      description:
        "`connection`: TCP. `datagrams`: UDP between one port of the guest and one address, which ends two minutes after the last datagram. " +
        "`lookup`: the guest asked for the addresses or records of a name. " +
        "`flood`: the guest asked for more than pyro judges at a time; one entry a minute"
    }),
    outcome: Schema.Literals(["allowed", "denied", "failed"]).annotate({
      description:
        "`allowed`: made, and over. `denied`: refused by the policy. `failed`: allowed, and could not be made"
    }),
    host: string("Name that the guest asked for, or the address if it named none. `*` for a flood"),
    port: optional(integer("Port of the connection. Absent for a look-up")),
    address: optional(string("Address that the host connected to. Absent if the host connected to none")),
    reason: optional(string("Reason for the denial, the failure or the early end. Absent otherwise")),
    remedy: optional(
      Schema.Struct({
        field: Schema.Literals(["allow_hosts", "allow_ips", "deny_hosts", "trust_host_certificates"]).annotate({
          description: "Argument of `workspace network set`. `deny_hosts`: its rule has to go"
        }),
        rule: optional(string("Rule of the list. Absent for `trust_host_certificates`"))
      }).annotate({ description: "Change of the policy that would allow the request. Absent unless one would" })
    ),
    once: optional(boolean("`true`: the connection used up a permission of --allow-once. Absent otherwise")),
    bytesOut: number("Bytes that the guest sent"),
    bytesIn: number("Bytes that the guest received"),
    cachedBytes: optional(
      number("Bytes of `bytes_in` that came from the package cache of this host. Absent if there are none")
    ),
    durationMs: milliseconds("Time from the request to the end")
  })
)
export type NetworkRecord = ReturnType<typeof NetworkRecord>["Type"]

const OpenConnection = lazy(() =>
  snakeStruct({
    at: string("Time of the guest's request, ISO 8601"),
    kind: Schema.Literals(["connection", "datagrams"]).annotate({
      description: "`connection`: TCP. `datagrams`: UDP between one port of the guest and one address"
    }),
    host: string("Name or address that the guest asked for"),
    port: integer("Port of the connection"),
    address: string("Address that the host connected to"),
    bytesOut: number("Bytes that the guest sent so far"),
    bytesIn: number("Bytes that the guest received so far"),
    once: optional(boolean("`true`: the connection used up a permission of --allow-once. Absent otherwise"))
  })
)
export type OpenConnection = ReturnType<typeof OpenConnection>["Type"]

export const NetworkLogPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    denied: flag("Show only what the policy denied"),
    cursor: optional(
      Schema.Int.pipe(Schema.check(Schema.isGreaterThanOrEqualTo(0))).annotate({
        description: "Number of the last entry that is known: show the entries after it. Default: show the newest"
      })
    ),
    limit: defaulted(between({ from: 1, to: 1_000, description: "Maximum number of entries to show" }), () => 100),
    follow: flag(
      "Wait for the next entry if there is none. The command line goes on until Ctrl-C, with --json as one entry a line"
    )
  })
)
export type NetworkLogPayload = ReturnType<typeof NetworkLogPayload>["Type"]

export const NetworkLogResult = lazy(() =>
  snakeStruct({
    entries: Schema.Array(NetworkRecord()).annotate({
      description: "Connections that are over, denials and failures, in the order of their end"
    }),
    open: Schema.Array(OpenConnection()).annotate({
      description: "Connections that are open now, the newest 100. Empty with `denied`"
    }),
    nextCursor: integer("Cursor of the next call"),
    droppedCount: optional(
      integer("Number of entries after the cursor that the log no longer has. Absent if there are none")
    )
  })
)
export type NetworkLogResult = ReturnType<typeof NetworkLogResult>["Type"]

export const workspaceNetworkLog = unary({
  name: "workspace.network.log",
  summary: "Show connections of a workspace, and what its policy denied",
  description:
    "Shows each connection with its name, address, bytes and duration, and each denial with its reason and the option that would allow it. The " +
    "log outlives resets; a guest cannot change it. pyro keeps the newest 8 MiB of a workspace's log.",
  cli: {
    path: ["workspace", "network", "log"],
    args: ["workspace"],
    examples: ["pyro network log fix", "pyro network log fix --follow --denied"]
  },
  mcp: {
    tool: "workspace_network_log",
    ...full,
    title: "Show connections",
    description: "Show connections of a workspace, and what its policy denied and why",
    arguments: {
      workspace: {},
      denied: { description: "Only denials" },
      cursor: { description: "next_cursor" },
      limit: { default: 50, description: "[50]" }
    },
    omits: ["dropped_count"]
  },
  states: at(withCommands),
  on: "entry",
  errors: [],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: NetworkLogPayload,
  result: NetworkLogResult
})
