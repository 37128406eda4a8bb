import { afterAll, beforeAll, describe, it } from "vitest"
import { openRecipe, type Recipe } from "../support/documents/recipe.ts"

let recipe: Recipe
beforeAll(async () => {
  recipe = await openRecipe("parallel-issues")
})
afterAll(() => recipe.close())

describe("docs/use-cases/parallel-issues.md", () => {
  it("three issues are fixed in three forks at once, and their patches fit together", () => recipe.follow())
})
