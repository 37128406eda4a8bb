import { assert, it } from "vitest"
import { someDisk } from "../../support/disk-usage.ts"
import { shown } from "./shown.ts"

const disk = (number: number) => ({
  ...someDisk,
  workspaces: Array.from({ length: number }, (_, at) => ({ workspace: `ws-${at}`, bytes: (number - at) * 1_048_576 }))
})

it("the table of disk use says how many workspaces it leaves out, with their size", async () => {
  const { out } = await shown("gc", { swept: [], freedBytes: 0, disk: disk(7) }, {})
  assert.match(out, /ws-4 +3 MiB\n +and 2 more +3 MiB\n/)
  assert.notInclude((await shown("gc", { swept: [], freedBytes: 0, disk: disk(5) }, {})).out, "more")
})
