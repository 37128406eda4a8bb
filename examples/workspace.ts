// A workspace from an Effect program: node scripts/example.mjs examples/workspace.ts
import { Console, Effect, Stream } from "effect"
import type { CreatePayload } from "../src/contract/operations/workspace-lifecycle.ts"
import { Pyro } from "../src/contract/Pyro.ts"
import { layer as LocalPyro } from "../src/local/layer.ts"

const create: CreatePayload = {
  environment: "debian:12",
  seedPath: "examples/greeting",
  git: "none",
  includeIgnored: [],
  labels: { example: "workspace" },
  vcpuCount: 1,
  memoryMib: 1024,
  diskMib: 16_384
}

/** Made in this process, and deleted with the scope. Without the second part it would outlive the program. */
const acquire = Effect.gen(function*() {
  const { workspace } = yield* Pyro
  const made = yield* Stream.runLast(workspace.create(create)).pipe(Effect.flatten)
  return made._tag === "Ready" ? made.workspace : yield* Effect.dieMessage("the last event is the workspace")
})

const program = Effect.gen(function*() {
  const { workspace } = yield* Pyro
  const { id } = yield* Effect.acquireRelease(
    acquire,
    ({ id }) => Effect.orDie(workspace.delete({ workspaces: [id], all: false }))
  )
  const test = workspace.exec({
    workspace: id,
    command: [],
    script: "sh test.sh",
    cwd: "/workspace",
    user: "root",
    env: {},
    tty: false,
    rows: 24,
    cols: 80,
    detach: false,
    maxBytes: 65_536
  })
  const runTest = Stream.runForEach(test, (event) =>
    event._tag === "Output"
      ? Console.log(new TextDecoder().decode(event.bytes).trim())
      : event._tag === "Exited"
      ? Console.log(`status ${event.status}`)
      : Effect.void)

  yield* runTest
  yield* workspace.file.edit({
    workspace: id,
    path: "greet.sh",
    oldText: "$1\"",
    newText: "${1:-you}!\"",
    replaceAll: false
  })
  yield* runTest
  const { text } = yield* workspace.summary({ workspace: id })
  yield* Console.log(text)
})

await program.pipe(Effect.scoped, Effect.provide(LocalPyro), Effect.runPromise)
