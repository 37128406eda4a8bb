import { rmSync } from "node:fs"
import { join } from "node:path"
import { pack } from "../pack/pack.mjs"
import { mustRun } from "../setup/child.mjs"
import { inRoot, root } from "../setup/project.mjs"
import { step } from "../setup/report.mjs"

/** The file of `npm pack`, made in a folder, with or without the library. */
export const npmPackage = (folder, { library }) =>
  step(`packing pyro for npm (${library ? 40 : 5} s)`, async () => {
    await pack({ library })
    const said = await mustRun(
      "npm pack",
      ["npm", "pack", "--ignore-scripts", "--json", "--pack-destination", folder],
      { cwd: root }
    )
    // Part of a package, not of a working tree.
    rmSync(inRoot("dist/lib"), { recursive: true, force: true })
    const [{ filename }] = JSON.parse(said)
    return join(folder, filename)
  })
