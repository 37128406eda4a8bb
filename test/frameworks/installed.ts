import { dirname, join, resolve } from "node:path"
import type { Plugin } from "vitest/config"

/** The workspaces of the adapters, in which `npm run test:frameworks` has installed their frameworks and pyro's package. */
export const folder: string = process.env["PYRO_TEST_FRAMEWORKS"] ?? resolve(import.meta.dirname, "../../adapters")

/** Packages of this clone, whose modules a test shares with its runner. */
const OWN = /^(node:|vite|vitest)/

/** Finds packages that a test names in that project, and all that they need with them. */
export const installedFrameworks: Plugin = {
  name: "installed-frameworks",
  enforce: "pre",
  resolveId(name, importer) {
    if (importer === undefined || dirname(importer) !== import.meta.dirname || /^[./\0]/.test(name) || OWN.test(name)) {
      return null
    }
    // Vite looks from a file that exists.
    return this.resolve(name, join(folder, "package.json"), { skipSelf: true })
  }
}
