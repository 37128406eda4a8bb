import { describe, it } from "vitest"
import { helpExamples } from "../support/documents/documented.ts"
import { readerOverLocalAgents } from "../support/documents/over-local-agents.ts"

/** Every example of a help text, with the built command and guests that are local agents. test/guest/docs.test.ts has those that need a microVM. */
describe("the examples of the help texts run over local agents", { concurrent: false }, () => {
  const told = readerOverLocalAgents("pyro-help-", { keeps: true })

  it.each(helpExamples.map(({ commands, page }) => [page, commands[0]!.text, commands] as const))(
    "the example of %s runs: %s",
    (_page, _first, commands) => told.run(commands)
  )
})
