import { Effect, Stream } from "effect"
import { isOptions, noOptions } from "../model/options.ts"
import type { Shell } from "../promises/shell.ts"
import type { Workspace } from "../promises/workspace.ts"
import type { Host } from "./host.ts"
import type { InEffect } from "./in-effect.ts"
import { pieceOf } from "./input.ts"
import { handle, sinkOf } from "./marks.ts"
import { inSeconds } from "./option-names.ts"
import { ownBytes } from "./output.ts"

const argv = (command: string | ReadonlyArray<string> | undefined) =>
  command === undefined ? {} : { command: typeof command === "string" ? ["bash", "-lc", command] : command }

const shellOf = (on: Host, workspace: string, shellId: string): InEffect<Shell> => {
  const { pyro, use, useStream } = on.of({ shellId })
  const ref = { workspace, shellId }
  // A terminal's line takes only text.
  const decoder = new TextDecoder()
  const close = use(pyro.workspace.shell.close(ref))
  const output = useStream(
    pyro.workspace.shell.attach({ ...ref, raw: true, detachKey: "none" })
  ).pipe(
    Stream.map((event) =>
      event._tag === "Output"
        ? ownBytes(event.bytes)
        : event._tag === "Attached"
        ? new TextEncoder().encode(event.screen)
        : new Uint8Array(0)
    ),
    Stream.filter((bytes) => bytes.length > 0)
  )
  return handle<InEffect<Shell>>("Shell", {
    shellId,
    input: sinkOf({
      write: (piece) =>
        Effect.flatMap(pieceOf(piece, "input"), (bytes) => {
          const input = decoder.decode(bytes, { stream: true })
          return input === ""
            ? Effect.void
            : Effect.asVoid(use(pyro.workspace.shell.write({ ...ref, input, noNewline: true })))
        }),
      end: Effect.void
    }),
    output,
    type: (input, options) =>
      Effect.map(use(pyro.workspace.shell.write({ ...ref, input, ...options })), ({ cursor }) => cursor),
    read: (options) => use(pyro.workspace.shell.read({ ...inSeconds(options), ...ref })),
    resize: (size) =>
      isOptions(size) ? use(pyro.workspace.shell.resize({ ...size, ...ref })) : Effect.fail(noOptions("size")),
    kill: (signal = "SIGINT") =>
      Effect.asVoid(use(pyro.workspace.shell.signal({ ...ref, signal: signal as "SIGINT" }))),
    close: () => close
  })
}

/** Opens shells. The Scope closes a shell that was opened for it. */
export const shellIn = (host: Host, workspace: string): InEffect<Workspace>["shell"] => (options) => {
  const { command, shellId, ...fields } = options ?? {}
  if (shellId !== undefined) return Effect.succeed(shellOf(host, workspace, shellId))
  const open = host.use(host.pyro.workspace.shell.open({ ...fields, ...argv(command), workspace }))
  return Effect.map(
    Effect.acquireRelease(
      open,
      (opened) => Effect.ignoreCause(host.use(host.pyro.workspace.shell.close({ workspace, shellId: opened.shellId })))
    ),
    (opened) => shellOf(host, workspace, opened.shellId)
  )
}
