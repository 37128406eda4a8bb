import { describe, it } from "vitest"
import { pagesOverLocalAgents, programsOverLocalAgents } from "../support/documents/documented.ts"
import { readerOverLocalAgents } from "../support/documents/over-local-agents.ts"

/** The pages whose commands a local agent can run, with the built command. test/guest/docs.test.ts has those that need a microVM. */
describe("the commands and programs of the documents run over local agents", { concurrent: false }, () => {
  const told = readerOverLocalAgents("pyro-docs-")

  it.each(pagesOverLocalAgents.map(({ commands, page }) => [page, commands[0]!.text, commands] as const))(
    "the commands of %s run: %s",
    (_page, _first, commands) => told.run(commands),
    // A page has up to 60 commands.
    180_000
  )

  it.each(programsOverLocalAgents.map(({ name, program }) => [name, program] as const))(
    "the example %s runs without an error",
    (_, program) => told.runProgram(program)
  )
})
