import { Context, Effect, Layer, Schema, Stream } from "effect"
import { type Operation, operations } from "../../../src/contract/rows/operations.ts"
import { payloadFields } from "../../../src/contract/rows/payload-fields.ts"
import { callOf, Pyro } from "../../../src/contract/rows/Pyro.ts"
import { makeDoorOpen } from "../../../src/remote/open-door.ts"
import { layerRemote } from "../../../src/sdk/client.ts"
import { ProcessVariables } from "../../../src/system/settings/config.ts"

/** Values of required fields, by their names in JSON. */
const VALUES: Readonly<Record<string, unknown>> = {
  candidates: [{ command: "true" }],
  candidate: "1",
  decision: "allow",
  exec_id: "0123456789abcdef".repeat(2),
  mode: "755",
  name: "some",
  path: "some",
  port: "8080",
  guest_port: 8080,
  host: ["github.com"],
  rows: 24,
  cols: 80,
  shell_id: "sh-0123456789",
  request: "1",
  source_path: "/etc/hostname",
  output: "/tmp/some",
  names: ["some"],
  old_text: "a",
  new_text: "b",
  target: "other",
  transfer: "some"
}

/** Fields that name a workspace. */
const ofWorkspace = ({ name }: Operation) => name === "workspace.compare" ? ["from", "to"] : ["workspace"]

const payloadOf = (row: Operation, workspace: string) => {
  const fields = payloadFields(row.payload())
  const places = ofWorkspace(row)
  const names = fields.map(({ name }) => name)
  const least = Object.fromEntries(
    fields.filter(({ name, required }) => required || places.includes(name))
      .map(({ name }) => [name, places.includes(name) ? workspace : VALUES[name]])
  )
  return Schema.decodeUnknownSync(row.payload() as Schema.Codec<unknown, unknown>)({
    ...least,
    ...(names.includes("workspaces") ? { workspaces: [workspace] } : {}),
    ...(names.includes("command") ? { command: ["true"] } : {}),
    ...(row.name === "workspace.file.write" ? { text: "x" } : {}),
    ...(row.name === "workspace.patch.apply" ? { patch: "x" } : {}),
    ...(row.name === "workspace.stdin" ? { text: "x" } : {}),
    ...(row.name === "workspace.signal" ? { signal: "TERM" } : {})
  })
}

/** The operations that take a workspace. */
const rows = operations.filter((row) =>
  payloadFields(row.payload()).some(({ name }) => ["workspace", "workspaces", "from"].includes(name)) &&
  !row.name.startsWith("saved.")
)

interface Answer {
  readonly code: string
  readonly text: string
}

/** The answer of each operation that takes a workspace to a client of a door. */
export const asked = (
  url: string,
  { ca, stateDirectory, token }: { readonly token: string; readonly ca: string; readonly stateDirectory: string },
  workspace: string
): Promise<Readonly<Record<string, Answer>>> =>
  Effect.gen(function*() {
    const context = yield* Layer.build(layerRemote(makeDoorOpen({ name: "no-such-context", url, ca })))
    const pyro = Context.get(context, Pyro)
    const answers = yield* Effect.forEach(rows, (row) => {
      const called = callOf(pyro, row)(payloadOf(row, workspace)) as Effect.Effect<unknown> | Stream.Stream<unknown>
      const result = Effect.isEffect(called) ? called : Stream.runCollect(called)
      return Effect.match(result as Effect.Effect<unknown, { readonly code: string; readonly message: string }>, {
        onFailure: ({ code, message }): Answer => ({ code, text: message.replaceAll(workspace, "WORKSPACE") }),
        onSuccess: (value): Answer => ({ code: "done", text: JSON.stringify(value) })
      })
    })
    return Object.fromEntries(rows.map(({ name }, at) => [name, answers[at]!]))
  }).pipe(
    Effect.scoped,
    Effect.updateService(
      ProcessVariables,
      (values) => ({ ...values, PYRO_TOKEN: token, PYRO_STATE_DIR: stateDirectory })
    ),
    Effect.runPromise
  )
