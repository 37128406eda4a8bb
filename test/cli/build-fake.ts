import { execFileSync } from "node:child_process"
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll } from "vitest"
import { madeOnceSync } from "../support/run/made-once.ts"
import type { Binary } from "./cli-process.ts"

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** The build finds the project by a path from its folder: a copy must lie as deep in the temporary folder. */
const build = (outdir: string) =>
  execFileSync(process.execPath, [
    join(root, "scripts/build.mjs"),
    "--outdir",
    outdir,
    "--local",
    join(root, "test/cli/fake-local.ts")
  ])

/** The command line as it is shipped, with test/cli/fake-local.ts in the place of src/daemon/layer.ts, in its daemon too; both removed after the tests. */
export const buildFake = (): Binary & { readonly folder: string } => {
  const folder = mkdtempSync(join(tmpdir(), "pyro-cli-"))
  const entry = join(folder, "dist/pyro.js")
  const env = {
    PYRO_CACHE_DIR: join(folder, "cache"),
    PYRO_STATE_DIR: join(folder, "state"),
    FAKE_MODULES: join(root, "package.json")
  }
  afterAll(() => {
    if (existsSync(join(folder, "state/daemon/daemon.json"))) {
      execFileSync(process.execPath, [entry, "daemon", "stop"], { env: { ...process.env, ...env } })
    }
    rmSync(folder, { recursive: true, force: true })
  })
  cpSync(madeOnceSync("fake", build), join(folder, "dist"), { recursive: true })
  return { folder, entry, env }
}
