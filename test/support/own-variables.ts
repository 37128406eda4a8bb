import { afterAll } from "vitest"

// A set-up file of vitest: files that share a process do not meet the variables of one another.

const before = { ...process.env }

afterAll(() => {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
  Object.assign(process.env, before)
})
