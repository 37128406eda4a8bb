import { Deferred, Effect, Stream } from "effect"
import { InvalidRequest } from "../contract/errors/errors.ts"
import type { Operation } from "../contract/rows/operations.ts"
import type { RunInput } from "../contract/rows/run-input.ts"
import { named } from "../contract/text/names.ts"
import { typed } from "../contract/text/printable.ts"
import { afterDefault, afterEnvironment } from "./first-word.ts"
import type { Typed } from "./parser.ts"
import { shortPath } from "./short-path.ts"
import { Terminal } from "./terminal.ts"

/**
 * Completes what was typed for `run` or `exec` from the terminal it was typed on: a shell when no command is given, the
 * window's size, and `TERM`.
 */
export const completeRun = (
  operation: Operation,
  given: Typed
): Effect.Effect<Typed["raw"], InvalidRequest, Terminal> =>
  Effect.gen(function*() {
    const terminal = yield* Terminal
    const onTerminal = terminal.stdinIsTerminal && terminal.stdoutIsTerminal
    // With -it, docker's habit, a terminal is asked for where there is one.
    const isHabit = given.extras["interactive"] !== undefined && !onTerminal && !given.json
    const raw = isHabit ? named(Object.entries(given.raw).filter(([name]) => name !== "tty")) : given.raw
    if (raw["tty"] === true && given.json) {
      return yield* new InvalidRequest({ field: "--tty", detail: "cannot be combined with --json" })
    }
    if (raw["tty"] === true && !onTerminal) {
      return yield* new InvalidRequest({ field: "--tty", detail: "needs stdin and stdout to be a terminal" })
    }
    const command = (raw["command"] ?? []) as ReadonlyArray<string>
    const shell = command.length === 0 && raw["script"] === undefined && raw["exec_id"] === undefined
    if (shell && (given.json || !onTerminal)) {
      const operands = operation.cli.args.flatMap((name) => raw[name] === undefined ? [] : [String(raw[name])])
      const { workspace } = terminal
      const meant = afterEnvironment(operation.cli, operands) ??
        (operands[0] === workspace ? undefined : afterDefault(operation.cli, operands, { workspace })) ??
        `for example: ${
          typed(["pyro", ...shortPath(operation.cli.path), ...operands.length === 0 ? ["debian:12"] : operands, "ls"])
        }`
      return yield* new InvalidRequest({ field: "command", detail: `nothing to run; ${meant}` })
    }
    if (raw["tty"] !== true && !shell) return raw
    const env = (raw["env"] ?? {}) as Readonly<Record<string, string>>
    return {
      ...raw,
      ...(yield* terminal.size),
      tty: true,
      env: terminal.type === undefined ? env : { TERM: terminal.type, ...env }
    }
  })

/**
 * The terminal's input for a running command. With `tty`, keys go to the guest only from `started` on: until then
 * Ctrl-C still ends pyro itself.
 */
export const makeRunInput = (tty: boolean, reads: boolean) =>
  Effect.gen(function*() {
    const terminal = yield* Terminal
    const isRaw = yield* Deferred.make<void>()
    const input: RunInput = tty
      ? {
        stdin: Stream.unwrap(Effect.as(Deferred.await(isRaw), terminal.stdin)),
        resizes: Stream.concat(
          Stream.fromEffect(Effect.andThen(Deferred.await(isRaw), terminal.size)),
          terminal.resizes
        )
      }
      : reads
      ? { stdin: terminal.stdin }
      : {}
    const started = tty ? Effect.andThen(terminal.raw, Deferred.succeed(isRaw, undefined)) : Effect.void
    return { input, started } as const
  })
