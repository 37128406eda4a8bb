import { Effect, Schema, Stream } from "effect"
import { DevContainerCommandFailed, InvalidRequest } from "../../contract/errors/errors.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import { ExecPayload } from "../../contract/rows/workspace-exec.ts"
import { printable } from "../../contract/text/printable.ts"
import type { LifecycleStep } from "../../lib/recipe/devcontainer.ts"
import type { Notify } from "../../workspace/entry/context.ts"

type Command = LifecycleStep["commands"][number]

/** Number of lines, and of characters of each, that an error keeps of a command's output. */
const KEPT_LINES = 20
const KEPT_CHARACTERS = 300

/** Lines of a command's output, which a hostile repository wrote. */
const lastLines = () => {
  const decoder = new TextDecoder()
  let rest = ""
  const lines: Array<string> = []
  const keep = (line: string) => {
    const text = printable(line.trimEnd()).slice(0, KEPT_CHARACTERS)
    if (text === "") return undefined
    lines.push(text)
    if (lines.length > KEPT_LINES) lines.shift()
    return text
  }
  return {
    /** Gives the last whole line of these bytes. */
    add: (bytes: Uint8Array) => {
      const parts = (rest + decoder.decode(bytes, { stream: true })).split("\n")
      rest = (parts.pop() ?? "").slice(-4096)
      return parts.map(keep).filter((line) => line !== undefined).at(-1)
    },
    text: () => {
      keep(rest)
      rest = ""
      return lines.join("\n")
    }
  }
}

/** Commands that may be a server which never ends, for a person who attaches: pyro starts them, and does not wait. */
const BACKGROUND: LifecycleStep["name"] = "postAttachCommand"

/**
 * Runs one command as the workspace's user. Its output is progress, and the end of it a part of the error. A command in the background has
 * its output in the logs of the workspace.
 */
const runCommand = (
  pyro: PyroService,
  workspace: string,
  { detach, name }: { readonly name: string; readonly detach: boolean },
  { argv }: Command,
  notify: Notify
) =>
  Effect.gen(function*() {
    const lines = lastLines()
    const failed = (ended: string) => new DevContainerCommandFailed({ command: name, ended, output: lines.text() })
    const payload = yield* Effect.mapError(
      Schema.decodeUnknownEffect(ExecPayload())({ workspace, command: argv, detach }),
      (error) => new InvalidRequest({ field: "devcontainer", detail: `${name}: ${error.message}`.slice(0, 500) })
    )
    let ended: string | undefined
    notify({ _tag: "Notice", level: "progress", message: name })
    yield* pyro.workspace.exec(payload).pipe(
      Stream.runForEach((event) =>
        Effect.sync(() => {
          if (event._tag === "Output") {
            const line = lines.add(event.bytes)
            if (line !== undefined) notify({ _tag: "Notice", level: "progress", message: `${name}: ${line}` })
          } else if (event._tag === "Detached") {
            ended = ""
          } else if (event._tag === "Exited") {
            ended = event.outcome === "exited"
              ? event.status === 0 ? "" : `exit status ${event.status}`
              : event.outcome.replaceAll("_", " ")
          }
        })
      ),
      Effect.catchTags({
        CommandNotFound: () => failed(`${argv[0]} is not in the image`),
        CommandNotExecutable: () => failed(`${argv[0]} cannot be executed`)
      })
    )
    if (ended !== "") return yield* failed(ended ?? "its end is unknown")
  })

/** Runs the commands of a devcontainer.json: one property after the other, the commands of one property at the same time. */
export const runSteps = (
  pyro: PyroService,
  workspace: string,
  steps: ReadonlyArray<LifecycleStep>,
  notify: Notify
) =>
  Effect.forEach(steps, ({ commands, name }) =>
    Effect.forEach(
      commands,
      (command) => {
        const label = command.label === undefined ? name : `${name}.${printable(command.label).slice(0, 60)}`
        return runCommand(pyro, workspace, { name: label, detach: name === BACKGROUND }, command, notify)
      },
      { concurrency: "unbounded", discard: true }
    ), { discard: true })
