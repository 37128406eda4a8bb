import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import process from "node:process"
import { dropAllEarlier } from "../build/earlier.mjs"
import { setUp } from "../setup.mjs"
import { mustRun } from "../setup/child.mjs"
import { inRoot, root } from "../setup/project.mjs"

/**
 * Compiles and bundles pyro, then adds the library, the manual pages, the bill of materials and the licenses. The library takes most of
 * the time, and no command needs it.
 */
export const pack = async ({ library } = { library: true }) => {
  await setUp("pack")
  dropAllEarlier(inRoot("dist"))
  if (library) await mustRun("the library", [process.execPath, inRoot("scripts/build/library.mjs")], { cwd: root })
  // They need what the set-up has just installed.
  const [{ manualPages }, { bundledPackages }, { billOfMaterials }, { notices }] = await Promise.all([
    import("./manual.mjs"),
    import("./bundled-packages.mjs"),
    import("./bill-of-materials.mjs"),
    import("./notices.mjs")
  ])
  rmSync(inRoot("dist/man"), { recursive: true, force: true })
  mkdirSync(inRoot("dist/man"), { recursive: true })
  for (const { file, text } of await manualPages(root)) writeFileSync(inRoot("dist/man", file), text)
  const packages = await bundledPackages(root)
  writeFileSync(inRoot("dist/sbom.cdx.json"), await billOfMaterials(root, packages))
  writeFileSync(inRoot("dist/THIRD-PARTY-NOTICES.txt"), notices(root, packages))
  return 0
}
