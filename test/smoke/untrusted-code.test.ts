import * as fs from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { openRecipe, type Recipe } from "../support/documents/recipe.ts"

const CREDENTIAL = "aws_secret_access_key = the person's own\n"

let recipe: Recipe
beforeAll(async () => {
  recipe = await openRecipe("untrusted-code")
})
afterAll(() => recipe.close())

/** Files of the home directory that the package was after. */
const homeFiles = () => [".aws/credentials", ".bashrc"].map((name) => fs.readFileSync(join(recipe.home, name), "utf8"))

describe("docs/use-cases/untrusted-code.md", () => {
  it("the record shows each misdeed of an install script, and the host's files stay as they were", async () => {
    await recipe.follow(() => {
      fs.mkdirSync(join(recipe.home, ".aws"))
      fs.writeFileSync(join(recipe.home, ".aws/credentials"), CREDENTIAL)
      fs.writeFileSync(join(recipe.home, ".bashrc"), "")
    })
    assert.deepStrictEqual(homeFiles(), [CREDENTIAL, ""])
    assert.isFalse(fs.existsSync("/tmp/.loot"))
    // npm itself looks for its own newest version.
    assert.deepStrictEqual(recipe.requests.filter((one) => !/^GET registry\.npmjs\.org \/(?:ms|npm)\b/.test(one)), [])
  })
})
