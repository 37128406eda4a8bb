import { afterAll } from "vitest"

// A set-up file of vitest: files that share a process do not meet the variables of one another.

// Points of rewind are of the tests that name their budget: to the others, a layer more at any moment would be another's doing.
process.env["PYRO_REWIND_MIB"] ??= "0"

const before = { ...process.env }

afterAll(() => {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
  Object.assign(process.env, before)
})
