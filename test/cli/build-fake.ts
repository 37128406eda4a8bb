import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll } from "vitest"
import type { Binary } from "./cli-process.ts"

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

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
  const script = join(root, "scripts/build.mjs")
  execFileSync(process.execPath, [
    script,
    "--outdir",
    join(folder, "dist"),
    "--local",
    join(root, "test/cli/fake-local.ts")
  ])
  return { folder, entry, env }
}
