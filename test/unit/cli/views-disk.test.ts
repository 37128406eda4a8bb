import { assert, it } from "vitest"
import { someDisk } from "../../support/disk/disk-usage.ts"
import { shown } from "./shown.ts"

const disk = (number: number) => ({
  ...someDisk,
  workspaces: Array.from({ length: number }, (_, at) => ({ workspace: `ws-${at}`, bytes: (number - at) * 1_048_576 }))
})

it("the table of disk use says how many workspaces it leaves out, with their size", async () => {
  const { out } = await shown("gc", { removed: [], freedBytes: 0, disk: disk(7) }, {})
  assert.match(out, /ws-4 +3 MiB\n +and 2 more +3 MiB\n/)
  assert.notInclude((await shown("gc", { removed: [], freedBytes: 0, disk: disk(5) }, {})).out, "more")
})

it("gc names each thing that it removed, and says when there is none", async () => {
  const removed = [{ kind: "vm", what: "4711" }, { kind: "build", what: "compiled code of other builds of pyro" }]
  const { out } = await shown("gc", { removed, freedBytes: 1_048_576, disk: disk(0) }, {})
  assert.match(out, /^removed vm 4711\nremoved compiled code of other builds of pyro\n1 MiB freed\n/)
  assert.match((await shown("gc", { removed: [], freedBytes: 0, disk: disk(0) }, {})).out, /^nothing to remove\n/)
})
