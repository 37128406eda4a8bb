// A workspace from an Effect program: node scripts/example.mjs examples/workspace.ts
// It has the workspaces itself, so that no daemon may have them: pyro daemon stop
import { Console, Effect } from "effect"
import { acquireWorkspace, pyro } from "pyro"
import { layer as LocalPyro } from "pyro/local"

const program = Effect.gen(function*() {
  // Gone when the Scope closes. `pyro.workspace.create` makes one that outlives the program.
  const { id: workspace } = yield* acquireWorkspace({ seedPath: "examples/greeting", git: "none" })
  const test = Effect.gen(function*() {
    const { status, stdout } = yield* pyro.workspace.exec.collect({ workspace, script: "sh test.sh" })
    yield* Console.log(`${stdout.trim()} (status ${status})`)
  })

  yield* test
  yield* pyro.workspace.file.edit({ workspace, path: "greet.sh", oldText: "$1\"", newText: "${1:-you}!\"" })
  yield* test
  const { text } = yield* pyro.workspace.summary({ workspace })
  yield* Console.log(text)
})

/** Every failure has a message for people; Effect.runPromise would print the stack around it. */
const failed = (error: { readonly message: string }) =>
  Effect.sync(() => {
    console.error(error.message)
    process.exitCode = 1
  })

await program.pipe(Effect.scoped, Effect.provide(LocalPyro), Effect.catch(failed), Effect.runPromise)
