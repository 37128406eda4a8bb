import { Context, Effect, Result } from "effect"
import { isAbsolute } from "node:path"
import { InvalidConfiguration } from "../../contract/errors/errors.ts"
import { parseMirrors } from "../../contract/text/registry-mirrors.ts"
import { type Allowed, allowedText } from "./allowed-values.ts"
import { isLossyVariable } from "./own-bytes.ts"
import { type ValueOf, type Variable, type VariableName, variables } from "./variables.ts"

// The only module that reads environment variables. Two small programs that must not load Effect read process.env
// themselves: src/cli/quick-exec and src/mcp/handshake. A rule in eslint.config.mjs refuses it to all others.

const inRange = (text: string, pattern: RegExp, { max, min }: { readonly min: number; readonly max: number }) => {
  const number = pattern.test(text) ? Number(text) : NaN
  return number >= min && number <= max ? number : undefined
}

/** A value of the kind. Undefined if the text is not valid. */
const decode = (allowed: Allowed, text: string): number | string | undefined => {
  switch (allowed.kind) {
    case "text":
      return text
    case "mirrors":
      return parseMirrors(text) === undefined ? undefined : text
    case "directory":
    case "absolute-path":
      return isAbsolute(text) ? text : undefined
    case "integer":
      return inRange(text, /^\d{1,15}$/, allowed)
    case "number":
      return inRange(text, /^\d{1,15}(\.\d{1,15})?$/, allowed)
    case "choice":
      return allowed.choices.find((choice) => choice === text)
  }
}

/** Variables that name one file or directory. A PATH may have others. */
const namesFile = (name: string, { kind }: Allowed) =>
  kind === "directory" || kind === "absolute-path" || /^(XDG_|HOME$)/.test(name)

const valueOf = <N extends VariableName>(name: N, text: string): Result.Result<ValueOf<N>, InvalidConfiguration> => {
  const { allowed, default: otherwise }: Variable = variables[name]
  if (namesFile(name, allowed) && isLossyVariable(name, text)) {
    return Result.fail(new InvalidConfiguration({ variable: name, value: text, allowed: "text in UTF-8" }))
  }
  const value = text === "" ? otherwise : decode(allowed, text)
  return text !== "" && value === undefined
    ? Result.fail(new InvalidConfiguration({ variable: name, value: text, allowed: allowedText(allowed) }))
    : Result.succeed(value as ValueOf<N>)
}

/** The environment as it is when a variable is read. Not Effect's `Config`, which reads the whole environment once. */
export const ProcessVariables: Context.Reference<Readonly<Record<string, string | undefined>>> = Context.Reference(
  "pyro/system/ProcessVariables",
  { defaultValue: () => process.env }
)

/** Value of a variable, or its default. */
export const setting = <N extends VariableName>(name: N): Effect.Effect<ValueOf<N>, InvalidConfiguration> =>
  Effect.flatMap(ProcessVariables, (values) => Effect.fromResult(valueOf(name, values[name] ?? "")))

/** Fails if any variable has a value that is not allowed. A process calls this before it begins its work. */
export const checkSettings: Effect.Effect<void, InvalidConfiguration> = Effect.forEach(
  Object.keys(variables) as Array<VariableName>,
  setting,
  { discard: true }
)

/** Cache of `settingNow`: each connection of a guest reads the same variables. */
const known = new Map<VariableName, { readonly text: string; readonly value: unknown }>()

/** Value of a variable for code outside Effect. A malformed value counts as unset here: `checkSettings` has refused it. */
export const settingNow = <N extends VariableName>(name: N): ValueOf<N> => {
  const text = process.env[name] ?? ""
  const found = known.get(name)
  if (found?.text === text) return found.value as ValueOf<N>
  const value = Result.getOrElse(valueOf(name, text), () => variableDefault(name))
  known.set(name, { text, value })
  return value
}

/** Value of a variable in this environment or another process's, or its default. A malformed value counts as unset. */
export const settingAmong = (
  values: Readonly<Record<string, string | undefined>>,
  name: VariableName
): number | string | undefined => Result.getOrElse(valueOf(name, values[name] ?? ""), () => variableDefault(name))

const variableDefault = <N extends VariableName>(name: N) => {
  const { default: otherwise }: Variable = variables[name]
  return otherwise as ValueOf<N>
}

/** All variables of this process, for child processes and for searches of names that no table can list. */
export const processEnvironment = (): NodeJS.ProcessEnv => process.env
