import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { openRecipe, type Recipe } from "../support/documents/recipe.ts"

let recipe: Recipe
beforeAll(async () => {
  recipe = await openRecipe("cold-start")
})
afterAll(() => recipe.close())

describe("docs/use-cases/cold-start.md", () => {
  it("a fresh project installs, builds and passes its tests in a workspace, which names the missing parts", async () => {
    await recipe.follow()
    assert.includeMembers([...recipe.requests], ["GET registry.npmjs.org /mocha"])
  })
})
