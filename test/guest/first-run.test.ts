import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, describe, it } from "vitest"
import { assertAsShown, type PageStep, stepsOf } from "../support/documents/page-steps.ts"
import { hostInventory } from "../support/host/host-inventory.ts"
import { pyroPath, temporaryFolder } from "../support/pyro-cli.ts"
import { openInstallations } from "../support/run/attempts.ts"

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..")

/** Not in what any of the commands prints. */
const mark = (step: number) => `\u001e step ${step}\n`

const scriptOf = (steps: ReadonlyArray<PageStep>) =>
  `set -eu\nexec 2>&1\n${steps.map(({ script }, at) => `printf '%s' '${mark(at)}'\n${script}`).join("")}`

describe("docs/first-run.md", { concurrent: false }, () => {
  const { folder, remove } = temporaryFolder("pyro-first-run-")
  const [home, state, bin] = ["home", "state", "bin"].map((name) => path.join(folder, name))
  const cache = process.env["PYRO_CACHE_DIR"] ??
    path.join(process.env["XDG_CACHE_HOME"] || path.join(process.env["HOME"] ?? "/root", ".cache"), "pyro")
  const env = {
    ...process.env,
    HOME: home,
    PATH: `${bin}:${process.env["PATH"]}`,
    PYRO_STATE_DIR: state,
    PYRO_CACHE_DIR: cache,
    NO_COLOR: "1"
  }
  const shell = (script: string) => spawnSync("sh", ["-c", script], { cwd: root, env, encoding: "utf8" })
  openInstallations.add({
    state: state!,
    deleteWorkspaces: (ids) => Promise.resolve(shell(`pyro delete ${ids.join(" ")} --quiet`))
  })
  afterAll(() => {
    shell("pyro delete --all --quiet; pyro daemon stop")
    remove()
  })

  it("every command of docs/first-run.md prints the output that the page shows", () => {
    // A second attempt clones into a home of its own.
    fs.rmSync(home!, { recursive: true, force: true })
    for (const made of [home!, state!, bin!]) fs.mkdirSync(made, { recursive: true })
    const quoted = [process.execPath, pyroPath].map((word) => `'${word}'`).join(" ")
    fs.writeFileSync(path.join(bin!, "pyro"), `#!/bin/sh\nexec ${quoted} "$@"\n`, { mode: 0o755 })
    const steps = stepsOf(fs.readFileSync(path.join(root, "docs/first-run.md"), "utf8"))
    assert.isAtLeast(steps.length, 10)

    const { status, stdout } = shell(scriptOf(steps))

    for (const [at, step] of steps.entries()) {
      const after = stdout.split(mark(at))[1]?.split("\u001e")[0]
      assert.isDefined(after, `never got to:\n${step.script}\nin:\n${stdout}`)
      assertAsShown(step, after)
    }
    assert.strictEqual(status, 0, stdout)
    // The clone has the change and nothing else.
    const changed = shell("cd \"$HOME/greeting\" && git status --short")
    assert.strictEqual(changed.stdout, " M greet.sh\n?? greeting.patch\n")
  })

  it("docs/first-run.md leaves no VM and no file", () => {
    assert.strictEqual(shell("pyro daemon stop").status, 0)
    const left = hostInventory({ state: state! })
    const directories = left.filter((one) => !one.includes("/daemon/")).filter((one) =>
      !fs.existsSync(one) || fs.lstatSync(one).isFile()
    )
    assert.deepStrictEqual(directories, [])
  })
})
