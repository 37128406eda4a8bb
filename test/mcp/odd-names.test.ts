import { Effect } from "effect"
import { assert, it } from "vitest"
import { oddNames } from "../support/odd-names.ts"
import { call, fakePyro, textOf } from "./fakes.ts"
import { info } from "./results.ts"

it("labels such as __proto__ and constructor are kept", async () => {
  const seen: Array<object> = []
  const pyro = fakePyro({
    list: ({ labels }) => {
      seen.push(labels)
      return Effect.succeed({ workspaces: [{ ...info, labels }] })
    }
  })
  const result = await call(pyro, "workspace_list", { labels: oddNames("x") })
  assert.isUndefined(result.isError, textOf(result))
  assert.deepStrictEqual(Object.entries(seen[0]!), Object.entries(oddNames("x")))
  assert.include(JSON.stringify(result.structuredContent), JSON.stringify(oddNames("x")))
})
