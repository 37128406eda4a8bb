import * as fs from "node:fs"
import * as path from "node:path"
import { assert, it } from "vitest"

const scripts = path.join(import.meta.dirname, "../../../scripts")

/** Agent hosts put their programs in place by their own scripts, as on a user's host. */
const WITH_SCRIPTS = ["test/hosts.mjs"]

it("no script of pyro runs the scripts of packages that npm installs, but for those of agent hosts", () => {
  const files = fs.readdirSync(scripts, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".mjs"))
  const running = files.filter((name) =>
    [...fs.readFileSync(path.join(scripts, name), "utf8").matchAll(/\[[^\]]*"(?:ci|install)"[^\]]*\]/g)]
      .some(([command]) => /"npm"|npm\(\)/.test(command) && !command.includes("--ignore-scripts"))
  )
  assert.deepStrictEqual(running, WITH_SCRIPTS)
})
