import { Context, Effect, Exit, Layer, References, Scope, Stream } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert } from "vitest"
import { payloadOf } from "../../../src/contract/rows/payload-of.ts"
import { Pyro, type PyroService } from "../../../src/contract/rows/Pyro.ts"
import { layerOver } from "../../../src/daemon/layer.ts"
import { makeBadLine } from "../daemon/bad-line.ts"
import { servePyro } from "../daemon/served-pyro.ts"
import { temporaryFolder } from "../pyro-cli.ts"
import { localAgentServices } from "./local-agent-services.ts"

const ownVariables = ["PYRO_STATE_DIR", "PYRO_CACHE_DIR", "PYRO_POOL_MEMBERS"] as const

/** What a script prints in a workspace. It has to succeed. */
export const outputOf = (pyro: PyroService, workspace: string, script: string) =>
  Effect.gen(function*() {
    const command = ["sh", "-ec", script] as const
    let output = ""
    yield* Stream.runForEach(pyro.workspace.exec(payloadOf("workspace.exec", { workspace, command })), (event) =>
      Effect.sync(() => {
        if (event._tag === "Output") {
          output += Buffer.from(event.bytes).toString()
        }
        if (event._tag === "Exited") {
          assert.strictEqual(event.status, 0, `${script}: ${output}`)
        }
      }))
    return output.trim()
  })

/** The whole of pyro in this process over local agents, served on a socket, and a line to the socket that breaks as a test says. */
export const openRemoteInstallation = async (program: string) => {
  const { folder, remove } = temporaryFolder("pyro-remote-")
  const before = ownVariables.map((name) => [name, process.env[name]] as const)
  process.env["PYRO_STATE_DIR"] = path.join(folder, "state")
  process.env["PYRO_CACHE_DIR"] = path.join(folder, "cache")
  process.env["PYRO_POOL_MEMBERS"] = "0"
  const reports = path.join(folder, "reports")
  fs.mkdirSync(reports)
  const scope = Effect.runSync(Scope.make())
  const run = <A, E>(work: Effect.Effect<A, E, Scope.Scope>) => Effect.runPromise(Scope.provide(work, scope))
  const services = Layer.merge(
    layerOver(localAgentServices({ program, reports })),
    Layer.succeed(References.MinimumLogLevel, "None")
  )
  const pyro = Context.get(await run(Layer.build(services)), Pyro)
  const { portable, requests, socket } = await run(servePyro(pyro))
  const line = await run(makeBadLine(portable))
  return {
    folder,
    /** Without the socket. */
    pyro,
    requests,
    socket,
    line,
    create: (name: string) =>
      Stream.runDrain(pyro.workspace.create(payloadOf("workspace.create", { name, memoryMib: 256, diskMib: 512 }))),
    close: async () => {
      await Effect.runPromise(pyro.workspace.delete(payloadOf("workspace.delete", { workspaces: [], all: true })))
      await Effect.runPromise(Scope.close(scope, Exit.void))
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name]
        else process.env[name] = value
      }
      const said = fs.readdirSync(reports).map((name) => fs.readFileSync(path.join(reports, name), "utf8"))
      remove()
      assert.deepStrictEqual(said, [], "a sanitizer reported")
    }
  } as const
}
export type RemoteInstallation = Awaited<ReturnType<typeof openRemoteInstallation>>
