import { Effect, Exit, Schema, Scope } from "effect"
import * as path from "node:path"
import type { StdinWriter } from "../../src/contract/rows/run-input.ts"
import type { AttachEvent } from "../../src/contract/rows/workspace-attach.ts"
import { ShellOpenPayload } from "../../src/contract/rows/workspace-shell.ts"
import { openLocal } from "../local.ts"
import { type Plan, side, timed } from "../measure.ts"
import { apart } from "./in-a-row.ts"
import { READER } from "./keys.ts"
import { echoFloor, KEYS, PAUSE_MS } from "./shell-echo.ts"

export const shellKey: Plan = {
  name: "shell-key",
  unit: "ms",
  about:
    "one key typed into a shell and its output's event, in the process that has the workspaces: channel, guest, its terminal's echo, and " +
    "log; floor: one request over the channel that the guest answers with the echo of one byte by a terminal",
  budget: { kind: "ratio", atMost: 1.5 },
  rounds: (runs) => runs,
  warmups: 3,
  floor: echoFloor,
  ours: async ({ room }) => {
    const local = await openLocal({ PYRO_STATE_DIR: path.join(room.disk, "state-local"), PYRO_POOL_MEMBERS: "0" })
    const workspace = await local.create()
    const { shellId } = await local.call((pyro) =>
      pyro.workspace.shell.open(Schema.decodeSync(ShellOpenPayload())({ workspace, command: READER }))
    )
    const scope = Effect.runSync(Scope.make())
    let echoed = () => {}
    // The daemon gives its clients' keys to this writer, and pulls events for them.
    const writer = await new Promise<StdinWriter>((resolve, reject) => {
      const writeStdin = (writer: StdinWriter) => Effect.andThen(Effect.sync(() => resolve(writer)), Effect.never)
      const seen = (event: AttachEvent) => {
        if (event._tag === "Output") echoed()
      }
      local.call((pyro) =>
        Effect.gen(function*() {
          const attach = pyro.workspace.shell.attach
          const next = yield* attach.pull!({ workspace, shellId, detachKey: "none", raw: false }, { writeStdin })
          yield* Effect.forkIn(
            Effect.ignore(Effect.forever(Effect.map(next(), (events) => [...events].forEach(seen)))),
            scope
          )
        }).pipe(Scope.provide(scope))
      ).catch(reject)
    })
    let typed = 0
    const key = () =>
      new Promise<void>((resolve, reject) => {
        echoed = resolve
        // A terminal takes lines of some thousand bytes.
        if (!writer.tryWrite(Uint8Array.of(++typed % 64 === 0 ? 0x0a : 0x78))) reject(new Error("no key taken"))
      })
    return side(() => apart(() => timed(key), PAUSE_MS, KEYS), async () => {
      await Effect.runPromise(Scope.close(scope, Exit.void))
      await local.close()
    })
  }
}
