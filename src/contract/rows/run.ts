import { Schema } from "effect"
import {
  allowHome,
  boolean,
  defaulted,
  hostPath,
  ignoredPaths,
  integer,
  milliseconds,
  optional,
  string
} from "../text/fields.ts"
import { snakeStruct, snakeTagged } from "../text/snake.ts"
import { commandOutput } from "./bounded-output.ts"
import { ofBooting, ofCommands } from "./call-errors.ts"
import {
  command,
  DEFAULT_CWD,
  endFields,
  fieldsOfCommand,
  OutputEvent,
  outputInOrder,
  script,
  terminalFields,
  workingDirectory
} from "./command.ts"
import { networkFields } from "./network-fields.ts"
import { Gathered, Notice, warnings } from "./notice.ts"
import { type Folding, lazy, streaming } from "./operation.ts"
import { runGroups } from "./option-groups.ts"
import { secretCommandsField, secretFlags, secretHttpField, secretMappings, secretsField } from "./secret-fields.ts"
import { confinementField, environmentField, machineFields, workspaceUser } from "./workspace-field.ts"

export const RunPayload = lazy(() =>
  snakeStruct({
    environment: environmentField("Environment to run in"),
    command: command(),
    script: script(),
    ...fieldsOfCommand(),
    cwd: defaulted(
      workingDirectory("Working directory. A relative path is relative to /workspace"),
      () => DEFAULT_CWD
    ),
    ...machineFields(),
    seedPath: optional(
      hostPath(
        "Directory or archive of the host to copy to /workspace. A git repository is copied as by `create`"
      )
    ),
    includeIgnored: ignoredPaths(),
    allowHome: allowHome(),
    workspaceUser: workspaceUser(),
    ...networkFields(),
    ...terminalFields(),
    ...secretsField("Secrets by name, for `--secret-env`. pyro removes the values from output. Default: none"),
    ...secretHttpField("Needs a network policy that allows HOST. Default: none"),
    ...secretCommandsField("Default: none"),
    ...secretMappings(),
    requireConfinement: confinementField()
  })
)
export type RunPayload = ReturnType<typeof RunPayload>["Type"]

const Durations = lazy(() =>
  snakeStruct({
    totalMs: milliseconds("Time from the request to the command's end"),
    bootMs: milliseconds("Time until the microVM was ready for the command"),
    commandMs: milliseconds("Time from the command's start to its end")
  })
)

const ended = lazy(() => ({
  ...endFields(),
  durations: Durations().annotate({ description: "Where the time was spent" })
}))

export const RunEvent = lazy(() =>
  Schema.Union([
    Notice(),
    snakeTagged("Started", { bootMs: milliseconds("Time until the microVM was ready for the command") }),
    OutputEvent(),
    Schema.TaggedStruct("Exited", ended())
  ])
)
export type RunEvent = ReturnType<typeof RunEvent>["Type"]

const RunResult = lazy(() =>
  snakeStruct({
    environment: string("Environment that the command ran in"),
    ...ended(),
    stdout: string("Output on stdout"),
    stderr: string("Output on stderr"),
    output: outputInOrder(),
    stdoutBytes: integer("Total bytes that the command wrote to stdout"),
    stderrBytes: integer("Total bytes that the command wrote to stderr"),
    truncated: boolean("Whether the middle of stdout or stderr is left out"),
    lossy: boolean("Whether bytes that are not UTF-8 were replaced by U+FFFD"),
    warnings: warnings()
  })
)
type RunResult = ReturnType<typeof RunResult>["Type"]

const fold = (payload: RunPayload): Folding<RunEvent, RunResult> => {
  const output = commandOutput(payload.maxBytes, payload.order)
  const messages = new Gathered()
  let exited: Extract<RunEvent, { readonly _tag: "Exited" }> | undefined
  return {
    add: (event) => {
      switch (event._tag) {
        case "Output":
          return output.add(event.from, event.bytes)
        case "Notice":
          return messages.add(event)
        case "Exited":
          exited = event
          return
        case "Started":
          return
      }
    },
    result: () => {
      if (exited === undefined) return undefined
      const { _tag, durations, ...how } = exited
      return {
        environment: payload.environment,
        ...how,
        durations: {
          totalMs: tenths(durations.totalMs),
          bootMs: tenths(durations.bootMs),
          commandMs: tenths(durations.commandMs)
        },
        ...output.kept(),
        warnings: messages.all
      }
    },
    output: output.kept
  }
}

const tenths = (ms: number) => Math.round(ms * 10) / 10

export const run = streaming({
  name: "run",
  summary: "Run one command in a new microVM",
  description:
    "Starts a microVM from the environment, runs the command, streams its output, and discards the microVM. pyro builds a missing " +
    "environment first. /workspace is empty, or a copy of --seed-path. Without a command, an image runs its own. The command cannot change the host. It has no network, unless --allow-host or --network-policy grants one.",
  cli: {
    path: ["run"],
    args: ["environment"],
    rest: "command",
    flags: {
      memory_mib: "mem-mib",
      secrets: "secret",
      allow_hosts: "allow-host",
      deny_hosts: "deny-host",
      allow_ips: "allow-ip"
    },
    groups: runGroups,
    extras: {
      interactive: {
        _tag: "switch",
        description: "Pass stdin to the command. Default: the command reads an empty stdin; --tty always passes stdin"
      },
      raw: {
        _tag: "switch",
        description:
          "Pass the output of a command on a terminal as it is. By default, pyro leaves out what asks your terminal or acts outside of its " +
          "screen, as attach does"
      },
      rm: { _tag: "switch", description: "Discard the microVM. `run` always does" },
      "ttl-seconds": {
        _tag: "limit",
        field: "timeout_seconds",
        description: "Seconds that the microVM may live, if they are fewer than those of --timeout-seconds"
      },
      "secret-file": secretFlags["secret-file"]
    },
    filled: ["rows", "cols"],
    hostPaths: ["seed_path"],
    imageSources: ["environment"],
    stdin: "interactive",
    exits: "guest",
    examples: [
      "pyro run -- git --version",
      "pyro run debian:12 --seed-path . --timeout-seconds 60 -- python3 -m unittest",
      "pyro run --script 'uname -a; id'",
      "pyro run debian:12 --seed-path . --include-ignored build -- build/run-tests",
      "pyro run debian:12 --tty",
      "pyro run debian:12-build --seed-path . --allow-host npm -- npm ci",
      "tar c src | pyro run --interactive debian:12 -- tar t",
      "pyro run --secret-env GH_TOKEN -- ./release.sh",
      "pyro run debian:12-build --secret-http NPM_TOKEN@registry.npmjs.org --allow-host npm -- npm whoami"
    ]
  },
  mcp: {
    tool: "vm_run",
    profiles: ["vm-run", "full"],
    title: "Run in a fresh VM",
    description:
      "Run a shell command in a fresh microVM that is thrown away afterwards. /workspace holds a copy of seed_path, or nothing. " +
      "No network; the host is untouched. A non-zero exit is no error",
    arguments: {
      script: { name: "command", needed: true, description: "Shell command or script" },
      environment: { description: "Such as debian:12-build [debian:12]" },
      seed_path: { hostPath: "read", description: "Directory or archive; of a repository without ignored files" },
      stdin: { own: "text", description: "Its input" },
      env: { description: "Variables" },
      timeout_seconds: { default: 600, description: "Kill it after so long [600]" },
      grace_seconds: { description: "From the signal that ends it to the kill [2]", visibleIn: ["full"] },
      raw: { own: "boolean", description: "Show terminal codes of the output" },
      network_policy: { network: true, description: "egress: connections outwards [off]" },
      allow_hosts: { network: true, description: "Only to these: NAME[:PORT] or a list such as npm" },
      vcpu_count: { visibleIn: ["full"] },
      memory_mib: { description: "[1024]" }
    },
    omits: ["output"],
    essential: true
  },
  needsRoom: true,
  home: "daemon-if-running",
  errors: [
    ...ofBooting,
    ...ofCommands,
    "EnvironmentBuildFailed",
    "EnvironmentUnknown",
    "NetworkAboveCeiling",
    "NetworkUnsupported"
  ],
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: RunPayload,
  event: RunEvent,
  endsWithConnection: true,
  result: RunResult,
  exitStatus: (result) => result.status,
  fold
})
