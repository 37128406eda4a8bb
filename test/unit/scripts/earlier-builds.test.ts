import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeEach, describe, it } from "vitest"
import { temporaryFolder } from "../../support/pyro-cli.ts"

const { dropAllEarlier, dropEarlier } = await import(
  path.resolve(import.meta.dirname, "../../../scripts/build/earlier.mjs")
) as {
  readonly dropAllEarlier: (dist: string) => void
  readonly dropEarlier: (dist: string) => void
}

const { folder, remove } = temporaryFolder("pyro-earlier-")
afterAll(remove)
const dist = path.join(folder, "dist")

const [FIRST, SECOND, NOW] = ["1", "2", "3"].map((digit) => digit.repeat(16)) as [string, string, string]

const files = () =>
  fs.readdirSync(dist, { recursive: true, encoding: "utf8" })
    .filter((name) => fs.statSync(path.join(dist, name)).isFile()).sort()

/** A file that was written `minute` minutes after 1970. */
const put = (name: string, text: string, minute: number) => {
  fs.writeFileSync(path.join(dist, name), text)
  fs.utimesSync(path.join(dist, name), minute * 60, minute * 60)
}

describe("files of earlier builds", () => {
  beforeEach(() => {
    fs.rmSync(dist, { recursive: true, force: true })
    fs.mkdirSync(path.join(dist, "web/assets"), { recursive: true })
    for (const [minute, hash] of [FIRST, SECOND, NOW].entries()) {
      put(`main-${hash}.cjs`, `require("./ssh-${hash}.cjs")`, minute)
      put(`main-${hash}.cjs.map`, "{}", minute)
      put(`ssh-${hash}.cjs`, "", minute)
      put(`web/assets/index-${hash.slice(8)}.js`, `import "./terminal-${hash.slice(8)}.js"`, minute)
      put(`web/assets/terminal-${hash.slice(8)}.js`, "", minute)
    }
    // A kind of file that this build does not have.
    put(`dial-${SECOND}.cjs`, "", 1)
    put("dial.cjs", "", 2)
    put("pyro.js", `require("./main-${NOW}.cjs")`, 2)
    put("web/index.html", `<script src="assets/index-${NOW.slice(8)}.js"></script>`, 2)
  })

  it("of a build go, except those of the build before, which a process may still read", () => {
    dropEarlier(dist)
    assert.deepStrictEqual(files().filter((name) => !name.startsWith("web/")), [
      "dial.cjs",
      `main-${SECOND}.cjs`,
      `main-${SECOND}.cjs.map`,
      `main-${NOW}.cjs`,
      `main-${NOW}.cjs.map`,
      "pyro.js",
      `ssh-${SECOND}.cjs`,
      `ssh-${NOW}.cjs`
    ])
  })

  it("are in no package, and neither are those of earlier pages", () => {
    dropAllEarlier(dist)
    assert.deepStrictEqual(files(), [
      "dial.cjs",
      `main-${NOW}.cjs`,
      `main-${NOW}.cjs.map`,
      "pyro.js",
      `ssh-${NOW}.cjs`,
      `web/assets/index-${NOW.slice(8)}.js`,
      `web/assets/terminal-${NOW.slice(8)}.js`,
      "web/index.html"
    ])
  })
})
