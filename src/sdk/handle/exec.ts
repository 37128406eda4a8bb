import { Effect } from "effect"
import { ChannelFailed, InvalidRequest } from "../../contract/errors/errors.ts"
import { forEachEvent } from "../../contract/rows/event-batches.ts"
import { type ExecEvent, workspaceExec } from "../../contract/rows/workspace-exec.ts"
import { payloadOf } from "../model/options.ts"
import type { Workspace } from "../promises/workspace.ts"
import { commandFields, type Host } from "./host.ts"
import type { InEffect } from "./in-effect.ts"
import { readInput } from "./input.ts"
import { inSeconds } from "./option-names.ts"
import { endedOf } from "./output.ts"

/**
 * Maximum bytes of each output in a result, unless the caller says otherwise: the whole output of nearly every command. A guest that prints for
 * ever costs the program some times as much memory.
 */
const MAX_OUTPUT_BYTES = 16_777_216

/** Gives each output to its listener, as text. A character may come in two pieces. */
const listening = (listeners: Partial<Record<"stdout" | "stderr", ((text: string) => void) | undefined>>) => {
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() }
  const say = (from: "stdout" | "stderr", text: string) => {
    if (text !== "") listeners[from]?.(text)
  }
  return {
    each: (event: ExecEvent) => {
      if (event._tag !== "Output" || listeners[event.from] === undefined) return
      say(event.from, decoders[event.from].decode(event.bytes, { stream: true }))
    },
    end: () => {
      for (const from of ["stdout", "stderr"] as const) say(from, decoders[from].decode())
    }
  }
}

/** Refuses a value that a caller without types gives in place of a function. */
export const demandFunctions = (given: Readonly<Record<string, unknown>>): Effect.Effect<void, InvalidRequest> => {
  const wrong = Object.entries(given).find(([, one]) => one !== undefined && typeof one !== "function")
  return wrong === undefined
    ? Effect.void
    : Effect.fail(new InvalidRequest({ field: wrong[0], detail: "must be a function" }))
}

/** Runs commands to their ends. */
export const execIn =
  ({ service, use }: Host, workspace: string): InEffect<Workspace>["exec"] => (command, options) => {
    const { maxBytes = MAX_OUTPUT_BYTES, onStderr, onStdout, stdin, ...fields } = options ?? {}
    const work = Effect.gen(function*() {
      yield* demandFunctions({ onStdout, onStderr })
      const payload = (yield* payloadOf(workspaceExec, {
        ...inSeconds(fields),
        ...commandFields(command),
        workspace,
        maxBytes,
        order: "arrival"
      })) as ReturnType<typeof workspaceExec.payload>["Type"]
      const read = yield* readInput(stdin)
      const folding = workspaceExec.fold(payload)
      const { each, end } = listening({ stdout: onStdout, stderr: onStderr })
      const events = forEachEvent(service.workspace.exec, payload, read?.input, (event) =>
        Effect.sync(() => {
          folding.add(event)
          each(event)
        }))
      yield* read === undefined ? events : Effect.raceFirst(events, read.failed)
      end()
      const result = folding.result()
      if (result === undefined) {
        return yield* new ChannelFailed({ detail: "the stream of events ended without its last" })
      }
      const { execId, output = "", stderr, stderrBytes, stdout, stdoutBytes, truncated } = result
      return { ...endedOf(result), stdout, stderr, output, stdoutBytes, stderrBytes, truncated, execId }
    })
    return use(work)
  }
