import { readdirSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import { build } from "vite"

const outputOf = async () => {
  const { output } = await build({
    configFile: join(import.meta.dirname, "vite.config.ts"),
    logLevel: "warn",
    build: { write: false }
  })
  return output
}

/** The files of the page as `{ name, contents }`, the HTML last. */
export const pageFiles = async () =>
  (await outputOf())
    .map((file) => ({ name: file.fileName, contents: file.type === "chunk" ? file.code : file.source }))
    .sort((one, other) => Number(one.name.endsWith(".html")) - Number(other.name.endsWith(".html")))

/** The modules whose code stands in the page, by their full paths. The style sheet of the terminal is of the same package as its code. */
export const pageModules = async () =>
  (await outputOf()).flatMap((file) =>
    file.type === "chunk"
      ? Object.entries(file.modules).flatMap(([id, { renderedLength }]) => renderedLength > 0 ? [id] : [])
      : []
  )

/** A day, in ms: as long as a page stays open without a reload. */
const KEPT_MS = 86_400_000

/** Removes files of earlier builds that are older than a day. */
export const dropOld = (folder, current) => {
  for (const file of readdirSync(folder)) {
    const path = join(folder, file)
    if (!current.has(file) && Date.now() - statSync(path).mtimeMs > KEPT_MS) rmSync(path, { force: true })
  }
}
