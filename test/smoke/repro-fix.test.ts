import { afterAll, beforeAll, describe, it } from "vitest"
import { openRecipe, type Recipe } from "../support/documents/recipe.ts"

let recipe: Recipe
beforeAll(async () => {
  recipe = await openRecipe("repro-fix")
})
afterAll(() => recipe.close())

describe("docs/use-cases/repro-fix.md", () => {
  it("a real bug is reproduced in an old version, fixed by file operations, and leaves as a patch that the host applies", () =>
    recipe.follow())
})
