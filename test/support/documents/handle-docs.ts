import * as fs from "node:fs"
import * as path from "node:path"

const root = path.resolve(import.meta.dirname, "../../..")
const folder = path.join(root, "src/sdk/promises")

/** A public name of `pyro/promises`, its docstring, and the example in it. */
export interface DocumentedName {
  readonly name: string
  /** Whether a program calls the name, or reads it as a stream. */
  readonly isCall: boolean
  readonly text: string
  readonly example: string | undefined
}

/** Declarations with a comment before them, or none. */
const DECLARATION =
  /(?:\/\*\*((?:(?!\*\/)[^])*)\*\/\n)?( *)(?:export (?:declare )?(interface|type|const) (\w+)|readonly (\w+)\??: (.*))/g

const plain = (comment: string) => comment.split("\n").map((line) => line.replace(/^ *\* ?/, "")).join("\n").trim()

/** The public names of the files that people write; the generated ones have the texts of the contract. */
export const documentedNames: ReadonlyArray<DocumentedName> = [
  ...[
    "changes",
    "client",
    "command",
    "common",
    "error-class",
    "file-options",
    "files",
    "life",
    "project",
    "services",
    "shell",
    "try",
    "workspace"
  ]
    .map((name) => path.join(folder, `${name}.ts`)),
  path.join(root, "src/sdk/connect.ts"),
  path.join(root, "src/sdk/label.ts")
].flatMap((file) => {
  let owner = ""
  return [...fs.readFileSync(file, "utf8").matchAll(DECLARATION)].flatMap(
    ([, comment = "", indent, kind, declared, member, type = ""]): ReadonlyArray<DocumentedName> => {
      if (declared !== undefined) owner = declared
      // Fields of types in braces stand deeper.
      if (member !== undefined && indent !== "  ") return []
      const [text = "", example] = plain(comment).split("@example\n")
      return [{
        name: member === undefined ? owner : `${owner}.${member}`,
        isCall: kind === undefined && /^\(|ByteStream|ByteSink/.test(type) && !owner.endsWith("Options"),
        text,
        example
      }]
    }
  )
})
