import { Schema } from "effect"
import type { File, Lifecycle, Metadata } from "./file.ts"

/** Names of the commands of the first start, in order. */
export const CREATE_COMMANDS = ["onCreateCommand", "updateContentCommand", "postCreateCommand"] as const
/** Names of the commands of every start. */
export const START_COMMANDS = ["postStartCommand", "postAttachCommand"] as const

type LifecycleName = LifecycleStep["name"]

const LifecycleCommand = Schema.Struct({
  /** The command's name in its property's object. */
  label: Schema.optionalKey(Schema.String),
  argv: Schema.Array(Schema.String)
})
type LifecycleCommand = typeof LifecycleCommand.Type

/** Commands that run at the same time: one, or the named ones of an object. */
export const LifecycleStep = Schema.Struct({
  /** The property, such as `postCreateCommand`. */
  name: Schema.Literals([...CREATE_COMMANDS, ...START_COMMANDS]),
  commands: Schema.Array(LifecycleCommand)
})
export type LifecycleStep = typeof LifecycleStep.Type

/** The commands of a workspace, as its record keeps them. */
export const LifecycleSteps = Schema.Struct({
  create: Schema.Array(LifecycleStep),
  start: Schema.Array(LifecycleStep)
})
export type LifecycleSteps = typeof LifecycleSteps.Type

const argvOf = (command: string | ReadonlyArray<string>): ReadonlyArray<string> =>
  typeof command === "string" ? command.trim() === "" ? [] : ["/bin/sh", "-c", command] : command

const isObject = (lifecycle: Lifecycle): lifecycle is Exclude<Lifecycle, string | ReadonlyArray<string>> =>
  typeof lifecycle === "object" && !Array.isArray(lifecycle)

const commandsOf = (lifecycle: Lifecycle): ReadonlyArray<LifecycleCommand> =>
  (isObject(lifecycle)
    ? Object.entries(lifecycle).map(([label, command]) => ({ label, argv: argvOf(command) }))
    : [{ argv: argvOf(lifecycle) }]).filter(({ argv }) => argv.length > 0)

/** The commands of these properties: for each, those of the image's label first, and the file's last. */
export const stepsOf = (
  names: ReadonlyArray<LifecycleName>,
  parts: ReadonlyArray<Metadata | File>,
  substitute: (text: string) => string
): ReadonlyArray<LifecycleStep> =>
  names.flatMap((name) =>
    parts.flatMap((part): ReadonlyArray<LifecycleStep> => {
      const lifecycle = part[name]
      const commands = lifecycle === undefined ? [] : commandsOf(lifecycle)
      return commands.length === 0 ? [] : [{
        name,
        commands: commands.map((command) => ({ ...command, argv: command.argv.map(substitute) }))
      }]
    })
  )
