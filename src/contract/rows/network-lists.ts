import { Schema } from "effect"
import { lazy, unary } from "./operation.ts"

const HostList = lazy(() =>
  Schema.Struct({
    name: Schema.String.annotate({ description: "Name of the list, as --allow-host takes it" }),
    description: Schema.String.annotate({ description: "Programs that the list is for" }),
    hosts: Schema.Array(Schema.String).annotate({ description: "Hosts of the list with their ports" })
  })
)

export const networkLists = unary({
  name: "network.lists",
  summary: "Show the named lists of hosts that --allow-host takes",
  description:
    "Shows the hosts behind each name, such as npm or debian. A list has the hosts that the service's own clients need. Hosts of a list may also take " +
    "uploads.",
  cli: {
    path: ["network", "lists"],
    args: [],
    exits: "own",
    examples: ["pyro network lists"]
  },
  mcp: {
    tool: "network_lists",
    profiles: ["full"],
    title: "Lists of hosts",
    description: "Show the named lists of hosts that allow_hosts takes"
  },
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: lazy(() => Schema.Struct({})),
  result: lazy(() =>
    Schema.Struct({
      lists: Schema.Array(HostList()).annotate({ description: "The lists by name" })
    })
  )
})
