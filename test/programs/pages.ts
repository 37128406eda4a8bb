import { readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"

const folder = resolve(import.meta.dirname, "../../docs/adapters")

/** A program of a page, and the lines for a shell that the page has before it. */
export interface PrintedProgram {
  /** Name of the page, and the program's number on it. */
  readonly name: string
  readonly lines: string
  readonly text: string
}

/** The programs of a page. A program without lines of its own before it has those of the program before it. */
const programsOf = (page: string): ReadonlyArray<PrintedProgram> => {
  const found: Array<PrintedProgram> = []
  let lines = ""
  for (const [, kind, text = ""] of readFileSync(join(folder, page), "utf8").matchAll(/^```(\w+)\n([^]*?)^```$/gm)) {
    if (kind === "sh") lines = text
    else if (kind === "ts") found.push({ name: `${page.replace(/\.md$/, "")} ${found.length + 1}`, lines, text })
    else throw new Error(`${page}: no test runs a program of kind ${kind}`)
  }
  return found
}

/** Every program of docs/adapters. */
export const printedPrograms: ReadonlyArray<PrintedProgram> = readdirSync(folder).flatMap(programsOf)
