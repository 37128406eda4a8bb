import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { packageRoot } from "../../../system/processes/native.ts"

/** Folder of pyro's recipes. */
export const recipeFolder = (part: "environment" | "kernel" | "packages") => path.join(packageRoot(), "rootfs", part)

/** The program that makes environments of images, which scripts/build/image-program.mjs makes of rootfs/image. */
export const imageProgramFile = () => path.join(packageRoot(), "dist", "image.pyz")

/** Lines of a list file, without comments and empty ones. */
export const readList = (file: string): ReadonlyArray<string> =>
  fs.readFileSync(file, "utf8").split("\n").map((line) => line.replace(/#.*/, "").trim()).filter((line) => line !== "")

/** Digest over every file of a recipe folder and the caller's strings. Changes with any of them. */
export const recipeDigest = (folder: string, words: ReadonlyArray<string>): string => {
  const hash = createHash("sha256").update(JSON.stringify(words))
  for (const name of (fs.readdirSync(folder, { recursive: true }) as Array<string>).sort()) {
    const file = path.join(folder, name)
    if (!fs.statSync(file).isFile() || name === "README.md" || name.endsWith(".packages")) continue
    hash.update(`\0${name}\0`).update(fs.readFileSync(file))
  }
  return hash.digest("hex")
}

/** Digest of the program that makes environments of images. */
export const imageRecipeDigest = (): string =>
  createHash("sha256").update(fs.readFileSync(imageProgramFile())).digest("hex")
