import { Effect, Layer, Stream } from "effect"
import type { ErrorOf } from "../../../src/contract/rows/operations.ts"
import { Pyro, type PyroService } from "../../../src/contract/rows/Pyro.ts"
import type { RunInput } from "../../../src/contract/rows/run-input.ts"
import type { ExecEvent, ExecPayload } from "../../../src/contract/rows/workspace-exec.ts"
import type { WorkspaceInfo } from "../../../src/contract/rows/workspace-info.ts"
import { connectTo } from "../../../src/sdk/promises/connect-to.ts"
import { unfakedPyro } from "../../support/daemon/unfaked-pyro.ts"

type Workspaces = PyroService["workspace"]

export const EXEC_ID = "0123456789abcdef0123456789abcdef"

export const infoOf = (id: string, name?: string): WorkspaceInfo => ({
  id,
  ...(name === undefined ? {} : { name }),
  labels: {},
  environment: "debian:12",
  environmentDigest: "",
  state: "running",
  createdAt: "",
  lastActivityAt: "",
  generation: 1,
  vcpuCount: 1,
  memoryMib: 256,
  diskMib: 64,
  secrets: [],
  secretHttp: [],
  runningCommands: 0
})

export const output = (text: string, next: number, from: "stdout" | "stderr" = "stdout"): ExecEvent => ({
  _tag: "Output",
  from,
  bytes: Buffer.from(text),
  next
})

export const ended = (over: Partial<Extract<ExecEvent, { readonly _tag: "Exited" }>> = {}): ExecEvent => ({
  _tag: "Exited",
  outcome: "exited",
  status: 0,
  durationMs: 5,
  ...over
})

/** A service with one workspace, `fix`, and notes of what it is asked. `exec` gives a command's events. */
export const handleService = (
  exec: (payload: ExecPayload, input?: RunInput) => Stream.Stream<ExecEvent, ErrorOf<"workspace.exec">> = () =>
    Stream.make(ended()),
  over: Partial<Workspaces> = {}
) => {
  const asked: Array<readonly [name: string, payload: unknown]> = []
  /** Ids of commands whose requests have ended. */
  const left: Array<string> = []
  const note = <A>(name: string, payload: unknown, result: A) =>
    Effect.sync(() => {
      asked.push([name, payload])
      return result
    })
  const info = infoOf("ws-0000000001", "fix")
  const service: PyroService = {
    ...unfakedPyro,
    workspace: {
      ...unfakedPyro.workspace,
      create: (payload) => Stream.fromEffect(note("create", payload, { _tag: "Ready" as const, workspace: info })),
      start: (payload) => Stream.fromEffect(note("start", payload, { _tag: "Ready" as const, workspace: info })),
      status: (payload) => note("status", payload, info),
      delete: (payload) => note("delete", payload, { deleted: payload.workspaces, names: payload.workspaces }),
      exec: (payload, input) => {
        const id = payload.execId ?? EXEC_ID
        const events = Stream.unwrap(Effect.as(
          note("exec", { ...payload, ...(input?.withoutOutput === true ? { withoutOutput: true } : {}) }, undefined),
          Stream.concat(Stream.make({ _tag: "Started" as const, execId: id, pid: 7 }), exec(payload, input))
        ))
        return Stream.ensuring(events, Effect.sync(() => left.push(id)))
      },
      ...over
    }
  }
  const layer = Layer.succeed(Pyro, service)
  return {
    asked,
    left,
    layer,
    note,
    connect: () => connectTo(layer),
    /** The workspace of a client. */
    fix: async () => {
      const ws = await connectTo(layer).get("fix")
      if (ws === null) throw new Error("the service has one workspace")
      return ws
    }
  }
}

/** The rejection of a promise. */
export const rejection = (work: Promise<unknown>): Promise<unknown> =>
  work.then(() => new Error("it did not fail"), (cause: unknown) => cause)
