import { Schema } from "effect"
import type { ErrorTag } from "../../contract/errors/errors.ts"
import { type CliSurface, lazy } from "../../contract/rows/operation.ts"
import { optional, text } from "../../contract/text/fields.ts"
import { snakeStruct } from "../../contract/text/snake.ts"
import { flag } from "./flag.ts"

// These commands change files of the person who types them. They are no operations, so that no model and no program can call them.

const row = <Name extends string, P>(command: {
  readonly name: Name
  readonly summary: string
  readonly description: string
  readonly cli: CliSurface
  readonly errors: ReadonlyArray<ErrorTag>
  readonly payload: () => P
}) => command

const name = text("Name of the context")

const contextAdd = row({
  name: "context.add",
  summary: "Name a machine whose pyro you use from here",
  description:
    "Keeps the address of a machine under a name. Commands with --context NAME then work there, through your own ssh: its keys, agent, jumps and " +
    "known hosts. The other machine needs pyro and nothing else. With an address of wss://, they go to a server of `pyro serve --listen`, with " +
    "a token. Connects to nothing.",
  cli: {
    path: ["context", "add"],
    args: ["name", "url"],
    hostPaths: ["ca", "cert", "key"],
    exits: "own",
    examples: [
      "pyro context add bench ssh://me@bench.example",
      "pyro context add lab ssh://lab:2222 --command /opt/pyro/bin/pyro",
      "pyro context add team wss://pyro.example:7340 --token-file team.token"
    ]
  },
  errors: [],
  payload: lazy(() =>
    snakeStruct({
      name,
      url: text("ssh://[USER@]HOST[:PORT], where HOST may be an alias of your SSH configuration, or wss://HOST[:PORT]"),
      command: optional(text("How the shell of that machine starts pyro. Default: pyro")),
      tokenFile: optional(
        text(
          "File with the token for a server of wss://, or - for stdin. pyro keeps the token in a file of yours alone. Default: PYRO_TOKEN"
        )
      ),
      ca: optional(text("File with the certificates of a private authority that vouches for the server")),
      cert: optional(text("File with a certificate of yours, for a server with --client-ca")),
      key: optional(text("File with the key of --cert")),
      replace: flag("Change a context that exists")
    })
  )
})

const contextUse = row({
  name: "context.use",
  summary: "Use a context in every command that names none",
  description: "`local` is this machine. --context and PYRO_CONTEXT come before this choice.",
  cli: {
    path: ["context", "use"],
    args: ["name"],
    completes: { name: "contexts" },
    exits: "own",
    examples: ["pyro context use bench", "pyro context use local"]
  },
  errors: ["ContextUnknown"],
  payload: lazy(() => Schema.Struct({ name: text("Name of the context, or local") }))
})

const contextList = row({
  name: "context.list",
  summary: "List the contexts",
  description: "Shows each context and marks the one that commands use. Connects to nothing.",
  cli: { path: ["context", "list"], args: [], exits: "own", examples: ["pyro context list"] },
  errors: [],
  payload: lazy(() => Schema.Struct({}))
})

const contextShow = row({
  name: "context.show",
  summary: "Show a context",
  description: "Shows how its machine is reached. Without a name, the one that commands use.",
  cli: {
    path: ["context", "show"],
    args: [],
    argsOrFlags: ["name"],
    completes: { name: "contexts" },
    exits: "own",
    examples: ["pyro context show", "pyro context show bench"]
  },
  errors: ["ContextUnknown"],
  payload: lazy(() => Schema.Struct({ name: optional(name) }))
})

const contextRemove = row({
  name: "context.remove",
  summary: "Forget a context",
  description: "Its machine keeps all workspaces.",
  cli: {
    path: ["context", "remove"],
    args: ["name"],
    completes: { name: "contexts" },
    exits: "own",
    examples: ["pyro context remove bench"]
  },
  errors: ["ContextUnknown"],
  payload: lazy(() => Schema.Struct({ name }))
})

export const contextCommands = [contextAdd, contextUse, contextList, contextShow, contextRemove] as const
export type ContextCommand = typeof contextCommands[number]
