import * as fs from "node:fs"
import * as path from "node:path"
import { assert } from "vitest"
import { bashSession } from "../cli/bash-session.ts"
import { installation } from "../installation.ts"
import { networkHost } from "../network/host.ts"
import { type NpmPackage, npmPackages } from "../network/mirrors/downloads.ts"
import { npmMirror } from "../network/mirrors/npm.ts"
import { serveMirrors } from "../network/mirrors/serve.ts"
import { ownDownloads } from "../own-cache.ts"
import { pyroPath, temporaryFolder } from "../pyro-cli.ts"
import { assertAsShown, stepsOf } from "./page-steps.ts"

const root = path.resolve(import.meta.dirname, "../../..")

/** The packages of all pages. */
const pinned = path.join(root, "test/fixtures/recipes/packages.json")

/** Progress, which a terminal shows and clears again. */
const PROGRESS = /^pyro: (?:copying the workspace|starting the forks|preparing a template .*|trying KVM .*)\n/gm

/** A page of docs/use-cases and the host on which a test follows the page. */
export type Recipe = Awaited<ReturnType<typeof openRecipe>>

/** The variables of this process without those that `npm run` sets for a script. */
const inherited = () => Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))

/**
 * A host for the commands of `docs/use-cases/NAME.md`, with a home directory and a network of its own. npm's registry there is a mirror that has
 * the packages of `test/fixtures/recipes` and no others, so that host and guest always install the same.
 */
export const openRecipe = async (name: string) => {
  const packages = await npmPackages(JSON.parse(fs.readFileSync(pinned, "utf8")) as ReadonlyArray<NpmPackage>)
  const served = await serveMirrors([npmMirror(packages)])
  const host = await networkHost(undefined, served)
  const { folder, remove } = temporaryFolder(`pyro-recipe-${name}-`)
  const [home, bin] = ["home", "bin"].map((one) => path.join(folder, one)) as [string, string]
  for (const made of [home, bin]) fs.mkdirSync(made)
  const quoted = [process.execPath, pyroPath].map((word) => `'${word}'`).join(" ")
  fs.writeFileSync(path.join(bin, "pyro"), `#!/bin/sh\nexec ${quoted} "$@"\n`, { mode: 0o755 })
  const own = installation(`pyro-${name}-`, {
    enter: host.enter,
    env: {
      HOME: home,
      PATH: `${bin}:${process.env["PATH"]}`,
      PYRO_CACHE_DIR: ownDownloads(folder),
      NO_COLOR: "1",
      // The host's npm and the daemon's cache of packages trust the mirror.
      NODE_EXTRA_CA_CERTS: served.trustFile,
      SSL_CERT_FILE: served.trustFile,
      NPM_CONFIG_GLOBALCONFIG: path.join(home, "npmrc")
    }
  })
  const page = fs.readFileSync(path.join(root, "docs/use-cases", `${name}.md`), "utf8")

  /**
   * Runs every command of the page in one shell. Each block has to succeed, and to print the output that the page shows. `prepare` puts
   * files into the empty home directory first.
   */
  const follow = async (prepare = () => {}) => {
    const steps = stepsOf(page)
    assert.isNotEmpty(steps)
    // A second attempt finds the home of the first one empty again.
    for (const left of fs.readdirSync(home)) fs.rmSync(path.join(home, left), { recursive: true })
    prepare()
    const shell = bashSession({ cwd: root, env: { ...inherited(), ...own.env }, enter: host.enter })
    try {
      // A process that enters another mount namespace begins in /.
      const started = await shell.run(`set -eu; cd '${root}'`)
      assert.strictEqual(started.status, 0, started.output)
      for (const step of steps) {
        const { output, status } = await shell.run(step.script)
        assert.strictEqual(status, 0, `${step.script}\n${output}`)
        assertAsShown(step, output.replace(PROGRESS, ""))
      }
    } finally {
      await shell.close()
    }
  }
  const close = async () => {
    await own.close()
    await host.close()
    await served.close()
    remove()
  }
  return { home, requests: served.requests, follow, close } as const
}
