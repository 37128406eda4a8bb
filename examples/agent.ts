// Two agents at once on forks of one workspace, the better one's patch kept: node scripts/example.mjs examples/agent.ts
import { Array as Arr, Console, Context, Data, Effect, Layer, Option, Order, Ref, Schedule } from "effect"
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { acquireWorkspace, pyro } from "pyro"
import { layer as LocalPyro } from "pyro/local"

/** What a model may ask for: the tools of this agent. */
type Action = Data.TaggedEnum<{
  Run: { readonly script: string }
  Edit: { readonly path: string; readonly oldText: string; readonly newText: string }
}>
const { $match, Edit, Run } = Data.taggedEnum<Action>()

class ModelOverloaded extends Data.TaggedError("ModelOverloaded")<{}> {}
class BudgetSpent extends Data.TaggedError("BudgetSpent")<{ readonly actions: number }> {}

/** Decides on the next action, if any, from what came of those before. A Layer of yours asks a model here. */
class Model extends Context.Service<Model, {
  readonly next: (prompt: string, seen: ReadonlyArray<string>) => Effect.Effect<Option.Option<Action>, ModelOverloaded>
}>()("Model") {}

/** What a model can put right it is told; any other failure ends its attempt. */
const perform = (workspace: string) => (action: Action) =>
  $match(action, {
    Run: ({ script }) =>
      pyro.workspace.exec.collect({ workspace, script, timeoutSeconds: 60 }).pipe(
        Effect.map(({ status, stderr, stdout }) => `${stdout}${stderr}exit status ${status}`)
      ),
    Edit: ({ newText, oldText, path }) =>
      pyro.workspace.file.edit({ workspace, path, oldText, newText }).pipe(
        Effect.as(`edited ${path}`),
        Effect.catchTag(["EditRejected", "FileRefused"], ({ message }) => Effect.succeed(message))
      )
  })

const patiently = { schedule: Schedule.exponential("100 millis").pipe(Schedule.jittered), times: 4 }

/** The loop, within a budget of actions and of time. */
const solve = (workspace: string, prompt: string, budget: number) =>
  Effect.gen(function*() {
    const model = yield* Model
    const seen: Array<string> = []
    for (;;) {
      const action = yield* Effect.retry(model.next(prompt, seen), patiently)
      if (Option.isNone(action)) return
      if (seen.length === budget) return yield* new BudgetSpent({ actions: budget })
      seen.push(yield* perform(workspace)(action.value))
    }
  }).pipe(Effect.timeout("5 minutes"))

/** Makes an attempt and judges it by what is there afterwards, however it ended. */
const attempt = (workspace: string, prompt: string) =>
  Effect.gen(function*() {
    const ended = yield* Effect.result(solve(workspace, prompt, 8))
    const { stdout } = yield* pyro.workspace.exec.collect({ workspace, script: "sh test.sh", timeoutSeconds: 60 })
    const { digest, summary: { additions = 0 } } = yield* pyro.workspace.diff({ workspace })
    const passed = stdout.split("\n").filter((line) => line.startsWith("ok ")).length
    yield* Console.log(
      `${prompt}: ${ended._tag === "Failure" ? ended.failure._tag : "done"}, ${passed} passed, +${additions}`
    )
    return { workspace, prompt, passed, additions, digest }
  })

/** The most tests passed, then the fewest lines. */
const worth = Order.combine(
  Order.mapInput(Order.Number, ({ passed }: { readonly passed: number; readonly additions: number }) => passed),
  Order.mapInput(Order.flip(Order.Number), ({ additions }) => additions)
)

const program = Effect.gen(function*() {
  const { id } = yield* acquireWorkspace({ seedPath: "examples/greeting", git: "none", ttlSeconds: 3600 })
  // What all need is done once: forks go on from here, and are gone with the Scope as their origin is.
  yield* pyro.workspace.exec.collect({ workspace: id, script: "sh test.sh > /tmp/before" })
  const prompts = ["be quick", "be thorough"] as const
  const { workspaces } = yield* pyro.workspace.fork.collect({ workspace: id, count: prompts.length })
  const forks = workspaces.map((fork) => fork.id)
  const attempts = yield* Effect.all(Arr.zipWith(forks, prompts, attempt), { concurrency: "unbounded" })
  const best = attempts.reduce((best, one) => worth(one, best) > 0 ? one : best)
  const output = join(mkdtempSync(join(tmpdir(), "pyro-agent-")), "greeting.patch")
  // Exactly what was judged, or nothing.
  yield* pyro.workspace.export.collect({ workspace: best.workspace, patch: true, expect: best.digest, output })
  yield* Console.log(`kept "${best.prompt}": git apply ${output}`)
})

/** In place of a model: what it would have said. It is busy at every third question. */
const scripts: Readonly<Record<string, ReadonlyArray<Action>>> = {
  "be quick": [Edit({ path: "greet.sh", oldText: "$1", newText: "$1!" })],
  "be thorough": [
    Run({ script: "cat /tmp/before greet.sh" }),
    Edit({ path: "greet.sh", oldText: "Hello $1", newText: "Hello, ${1:-you}!" }),
    Edit({ path: "greet.sh", oldText: "$1", newText: "${1:-you}!" }),
    Run({ script: "sh test.sh" })
  ]
}
const ScriptedModel = Layer.effect(
  Model,
  Effect.map(Ref.make(0), (asked) => ({
    next: (prompt, seen) =>
      Effect.flatMap(Ref.updateAndGet(asked, (count) => count + 1), (count) =>
        count % 3 === 0
          ? new ModelOverloaded()
          : Effect.succeed(Option.fromNullishOr(scripts[prompt]?.[seen.length])))
  }))
)

/** Every failure has a message for people. */
const failed = (error: { readonly message: string }) =>
  Effect.sync(() => {
    console.error(error.message)
    process.exitCode = 1
  })

await program.pipe(
  Effect.scoped,
  Effect.provide([LocalPyro, ScriptedModel]),
  Effect.catch(failed),
  Effect.runPromise
)
