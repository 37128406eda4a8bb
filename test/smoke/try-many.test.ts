import { afterAll, beforeAll, describe, it } from "vitest"
import { openRecipe, type Recipe } from "../support/documents/recipe.ts"

let recipe: Recipe
beforeAll(async () => {
  recipe = await openRecipe("try-many")
})
afterAll(() => recipe.close())

describe("docs/use-cases/try-many.md", () => {
  it("of five fixes of a defect the best one is kept, and its patch is exported", () => recipe.follow())
})
