import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Schema, Scope, Stream } from "effect"
import { Pyro, type PyroService } from "../../src/contract/rows/Pyro.ts"
import { ExecPayload } from "../../src/contract/rows/workspace-exec.ts"
import { CreatePayload } from "../../src/contract/rows/workspace-lifecycle.ts"
import { UpdatePayload } from "../../src/contract/rows/workspace-update.ts"
import { layerOver } from "../../src/daemon/layer.ts"
import { localAgentServices } from "../support/lifecycle/local-agent-services.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"
import { sanitizedBuild } from "./agent.ts"

const secret = "correct horse battery"

/** The whole of pyro in this process, over local agents, with the state directory `folder` while it begins. */
const installation = (folder: string) =>
  Effect.gen(function*() {
    const scope = yield* Effect.acquireRelease(Scope.make(), Scope.close)
    const before = process.env["PYRO_STATE_DIR"]
    process.env["PYRO_STATE_DIR"] = folder
    const context = yield* Layer.buildWithScope(layerOver(localAgentServices({ program: sanitizedBuild })), scope)
    if (before === undefined) delete process.env["PYRO_STATE_DIR"]
    else process.env["PYRO_STATE_DIR"] = before
    const own = operations(Context.get(context, Pyro))
    // Workspaces outlive their installation, also after a failed assertion.
    yield* Effect.addFinalizer(() => Effect.ignore(own.remove))
    return { ...own, end: Scope.close(scope, Exit.void) }
  })

const operations = ({ workspace }: PyroService) => ({
  create: (payload: object) =>
    Schema.decodeUnknownEffect(CreatePayload())({ memory_mib: 256, disk_mib: 512, ...payload }).pipe(
      Effect.flatMap((whole) => Stream.runDrain(workspace.create(whole)))
    ),
  update: (payload: object) => Effect.flatMap(Schema.decodeUnknownEffect(UpdatePayload())(payload), workspace.update),
  stop: (name: string) => Stream.runDrain(workspace.stop({ workspace: name })),
  remove: workspace.delete({ workspaces: [], all: true }),
  list: Effect.map(workspace.list({ labels: {} }), ({ workspaces }) => workspaces),
  events: (name: string) =>
    Effect.map(
      workspace.events({ workspace: name, limit: 100, follow: false }),
      ({ events }) => events.map(({ kind }) => kind)
    ),
  publish: (name: string, port: string) => workspace.port.publish({ workspace: name, port }),
  /** What a script prints. */
  sh: (name: string, script: string) =>
    Effect.flatMap(
      Schema.decodeUnknownEffect(ExecPayload())({ workspace: name, command: ["sh", "-ec", script] }),
      (payload) =>
        Stream.runFold(workspace.exec(payload), () =>
          "", (output, event) =>
          event._tag === "Output" ? output + Buffer.from(event.bytes).toString() : output)
    )
})

/** Two installations with one cache. */
const bothInstallations = Effect.gen(function*() {
  const { folder, remove } = temporaryFolder("pyro-two-")
  yield* Effect.addFinalizer(() => Effect.sync(remove))
  const one = yield* installation(`${folder}/one`)
  const other = yield* installation(`${folder}/other`)
  return [one, other] as const
})

describe("two installations in one process", () => {
  it.live("they share no workspace, no event, no secret and no port", () =>
    Effect.gen(function*() {
      const [one, other] = yield* bothInstallations
      // The same name, twice.
      yield* one.create({ name: "fix", secrets: { TOKEN: secret } })
      yield* other.create({ name: "fix" })
      const [own, foreign] = [yield* one.list, yield* other.list]
      assert.deepStrictEqual([own.length, foreign.length], [1, 1])
      assert.notStrictEqual(own[0]!.id, foreign[0]!.id)

      // A secret of the one is a text like others in the other.
      const print = `printf '${secret}'`
      assert.strictEqual(yield* one.sh("fix", print), "[secret:TOKEN]")
      assert.strictEqual(yield* other.sh("fix", print), secret)
      yield* other.update({ workspace: "fix", labels: { note: secret } })
      assert.strictEqual((yield* other.list)[0]!.labels["note"], secret)

      // The one does not know who has the other's port.
      const { hostPort } = yield* one.publish("fix", "3000")
      assert.notStrictEqual((yield* other.publish("fix", "3000")).hostPort, hostPort)
      yield* one.create({ name: "second" })
      const holder = (publish: typeof one.publish, name: string) =>
        Effect.map(
          Effect.flip(publish(name, `${hostPort}:4000`)),
          (failure) => failure._tag === "PortInUse" ? failure.workspace : failure._tag
        )
      assert.strictEqual(yield* holder(one.publish, "second"), own[0]!.id)
      assert.isUndefined(yield* holder(other.publish, "fix"))

      // A step in the one is no event of the other.
      const before = yield* other.events("fix")
      yield* one.stop("fix")
      assert.strictEqual((yield* one.events("fix")).at(-1), "stopped")
      assert.deepStrictEqual(yield* other.events("fix"), before)

      // The end of the one, and of its workspaces, leaves the other.
      yield* one.remove
      yield* one.end
      assert.strictEqual(yield* other.sh("fix", "echo here"), "here\n")
    }), 120_000)
})
