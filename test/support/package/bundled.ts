import { build, type Plugin } from "esbuild"
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { madeOnce } from "../run/made-once.ts"

const project = resolve(import.meta.dirname, "../../..")

const bundle = async (source: string, program: string) => {
  const { withoutCompiled } = await import(join(project, "scripts/build/unused.mjs")) as {
    readonly withoutCompiled: Plugin
  }
  await build({
    entryPoints: [source],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    // The first form of jsonc-parser that a bundle can have.
    mainFields: ["module", "main"],
    target: "node20",
    logLevel: "error",
    // ssh2 asks objects for the names of their classes.
    keepNames: true,
    plugins: [withoutCompiled],
    banner: {
      js: "import{createRequire as requireFrom}from'node:module';" +
        "const require=requireFrom(import.meta.url),__dirname=import.meta.dirname;"
    }
  })
}

/** Bundles a program of the tests as one ES module, which Node starts as fast as it can. */
export const bundled = async (source: string, program: string) => {
  const name = relative(project, source).replaceAll("/", "-")
  const folder = await madeOnce(name, (own) => bundle(source, join(own, "program.mjs")))
  mkdirSync(dirname(program), { recursive: true })
  copyFileSync(join(folder, "program.mjs"), program)
  return program
}

/** Bundles the dial process into a folder, where a bundle in the folder finds it. */
export const bundleDialProgram = async (folder: string) => {
  const made = await madeOnce("dial", async (own) => {
    const { dialProgram } = await import(join(project, "scripts/build/dial-program.mjs")) as {
      readonly dialProgram: (root: string) => Promise<string>
    }
    writeFileSync(join(own, "dial.cjs"), await dialProgram(project))
  })
  mkdirSync(join(folder, "dist"))
  copyFileSync(join(made, "dial.cjs"), join(folder, "dist", "dial.cjs"))
}

/** Links what the project builds into a folder, so that a bundle in the folder finds it. */
export const linkBuilt = (folder: string) => {
  for (const name of ["guest-agent", "native", "rootfs"]) symlinkSync(join(project, name), join(folder, name))
}
