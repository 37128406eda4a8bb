import { afterAll, beforeAll, describe, it } from "vitest"
import { openRecipe, type Recipe } from "../support/documents/recipe.ts"

let recipe: Recipe
beforeAll(async () => {
  recipe = await openRecipe("review")
})
afterAll(() => recipe.close())

describe("docs/use-cases/review.md", () => {
  it("a rubric judges two attempts, each from the same snapshot", () => recipe.follow())
})
