import { Schema } from "effect"
import type { ErrorTag } from "../../contract/errors/errors.ts"
import { hostNames } from "../../contract/rows/agent-host.ts"
import { modeNames } from "../../contract/rows/modes.ts"
import { type CliSurface, lazy } from "../../contract/rows/operation.ts"
import { GitHistory, gitHistoryText } from "../../contract/rows/workspace-field.ts"
import { defaulted, list, optional, strings, text } from "../../contract/text/fields.ts"
import { snakeStruct } from "../../contract/text/snake.ts"
import { flag } from "./flag.ts"

// These commands change files of the person who types them. They are no operations, so that no model and no program can call them.

export { hostNames }

const host = () => Schema.Literals(hostNames).annotate({ description: `Agent host: ${hostNames.join(", ")}` })

const scope = () =>
  defaulted(
    Schema.Literals(["user", "project"]).annotate({
      description:
        "Files to change. `user`: those of your home directory, for all projects. `project`: those of one project"
    }),
    () => "user" as const
  )

const projectPath = optional(
  text("Directory of the project. Default: the git work tree of the working directory, else the working directory")
)

const server = () => ({
  profile: defaulted(
    Schema.Literals(["vm-run", "workspace-core", "workspace-full"]).annotate({
      description: "Tools of the server, as pyro mcp serve has them"
    }),
    () => "workspace-core" as const
  ),
  mode: optional(
    Schema.Literals(modeNames).annotate({
      description: "Kind of task of the server, instead of a profile (docs/modes.md)"
    })
  ),
  approve: defaulted(
    Schema.Literals(["safe", "all", "none"]).annotate({
      description:
        "Tools that run without a question. `safe`: all but exports and deletions, about which the host asks. `all`: every tool. `none`: the host decides"
    }),
    () => "safe" as const
  ),
  git: optional(GitHistory(`${gitHistoryText}. Default: that of pyro mcp serve`)),
  env: optional(strings(text("Value")).annotate({ description: "Variable of the server" })),
  serveOptions: defaulted(list(text("Option")).annotate({ description: "More options of pyro mcp serve" }), () => [])
})

const skill = () =>
  flag(
    "Also write pyro's skill, which tells the model when and how to use a workspace. For claude-code, codex, opencode, gemini, goose and copilot"
  )

const dryRun = () => flag("Show the change as a diff and write nothing")

const ConnectPayload = lazy(() =>
  snakeStruct({
    host: host(),
    scope: scope(),
    ...server(),
    skill: skill(),
    projectPath,
    dryRun: dryRun(),
    force: flag("Replace an entry for pyro that differs, and with --skill a skill of that name")
  })
)

const DisconnectPayload = lazy(() => snakeStruct({ host: host(), scope: scope(), projectPath, dryRun: dryRun() }))

const PrintConfigPayload = lazy(() =>
  snakeStruct({ host: host(), scope: scope(), ...server(), skill: skill(), projectPath })
)

const DoctorPayload = lazy(() => snakeStruct({ host: host(), projectPath }))

const surface = { args: ["host"], hostPaths: ["project_path"], exits: "own" } as const

const row = <Name extends string, P>(command: {
  readonly name: Name
  readonly summary: string
  readonly description: string
  readonly cli: CliSurface
  readonly errors: ReadonlyArray<ErrorTag>
  readonly payload: () => P
}) => command

const hostConnect = row({
  name: "host.connect",
  summary: "Add pyro to an agent host",
  description:
    "Writes the entry of `pyro mcp serve` to the host's configuration, and which tools run without a question. Comments and other keys stay. " +
    "pyro keeps each changed file in its state directory. If the host has the same " +
    "entry already, nothing changes. Restart the host afterwards.",
  cli: {
    ...surface,
    path: ["host", "connect"],
    rest: "serve_options",
    examples: [
      "pyro host connect claude-code",
      "pyro host connect codex --approve all",
      "pyro host connect codex --skill",
      "pyro host connect cursor --scope project --dry-run",
      "pyro host connect gemini --profile vm-run",
      "pyro host connect claude-code --scope project --mode repro-fix",
      "pyro host connect goose --git full",
      "pyro host connect opencode -- --network-ceiling egress:npm,pypi"
    ]
  },
  errors: ["HostEntryDiffers", "HostFileUnusable"],
  payload: ConnectPayload
})

const hostDisconnect = row({
  name: "host.disconnect",
  summary: "Remove pyro from an agent host",
  description:
    "Takes back what `pyro host connect` wrote, byte for byte if no other program has changed these lines. A changed skill stays, and " +
    "so does one that another host uses. Workspaces stay.",
  cli: { ...surface, path: ["host", "disconnect"], examples: ["pyro host disconnect codex"] },
  errors: ["HostEntryDiffers", "HostFileUnusable"],
  payload: DisconnectPayload
})

const hostPrintConfig = row({
  name: "host.print-config",
  summary: "Print what an agent host's configuration needs",
  description:
    "Prints the path and the text of each file, for people who edit the files themselves. Reads and writes no file of the host.",
  cli: {
    ...surface,
    path: ["host", "print-config"],
    rest: "serve_options",
    examples: ["pyro host print-config zed", "pyro host print-config vscode --scope project"]
  },
  errors: [],
  payload: PrintConfigPayload
})

const hostDoctor = row({
  name: "host.doctor",
  summary: "Check what an agent host sees of pyro",
  description:
    "Checks the host's program, its entries for pyro, its approvals and pyro's skill, starts the server as the host would, and counts the tools. " +
    "Changes nothing. The exit status is 1 if a check fails.",
  cli: { ...surface, path: ["host", "doctor"], examples: ["pyro host doctor codex"] },
  errors: ["HostFileUnusable"],
  payload: DoctorPayload
})

const hostRepair = row({
  name: "host.repair",
  summary: "Rewrite an entry that is not as pyro writes it",
  description:
    "Rewrites pyro's entry if it lacks something or its program is gone, and removes entries of other names that start pyro as well. Updates pyro's skill of an earlier version. Options of " +
    "the server, its variables and the approvals stay. pyro keeps each changed file in its state directory.",
  cli: { ...surface, path: ["host", "repair"], examples: ["pyro host repair codex --dry-run"] },
  errors: ["HostEntryDiffers", "HostFileUnusable"],
  payload: DisconnectPayload
})

export const hostCommands = [hostConnect, hostDisconnect, hostPrintConfig, hostDoctor, hostRepair] as const
export type HostCommand = typeof hostCommands[number]
