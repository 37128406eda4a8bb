import * as fs from "node:fs"
import * as path from "node:path"
import ts from "typescript"
import { assert, describe, it } from "vitest"
import { operations } from "../../../src/contract/rows/operations.ts"
import { payloadFields } from "../../../src/contract/rows/payload-fields.ts"

const root = path.resolve(import.meta.dirname, "../../../src")

/** Libraries of a person's terminal and files. */
const OF_PEOPLE = ["recipe", "ssh", "terminal", "test-counts"]

/** Folders whose errors and notices reach a model. */
const FOLDERS = [
  "building",
  "contract",
  "daemon",
  ...fs.readdirSync(path.join(root, "lib"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !OF_PEOPLE.includes(entry.name)).map(({ name }) => `lib/${name}`),
  "sdk",
  "system",
  "workspace"
]

/** Descriptions for people who type: help and documents show them, and no tool does. Modes have a test of their own. */
const FOR_PEOPLE =
  /^(contract\/errors\/agent-|contract\/rows\/(?!exec-validation|network-(ceiling|command|text)|service-text|shell-.*-text)|daemon\/app\/doctor\/|system\/settings\/(allowed-values|[a-z-]*variables)\.ts)/

/** The text of a literal, of a template or of texts that are added; what is put in is `…`. Undefined for anything else. */
const textOf = (node: ts.Node): string | undefined => {
  if (ts.isStringLiteralLike(node)) return node.text
  if (ts.isTemplateExpression(node)) {
    return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join("")
  }
  if (ts.isParenthesizedExpression(node)) return textOf(node.expression)
  if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.PlusToken) return undefined
  const [left, right] = [textOf(node.left), textOf(node.right)]
  return left === undefined && right === undefined ? undefined : `${left ?? "…"}${right ?? "…"}`
}

const textsIn = (file: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  const visit = (node: ts.Node): void => {
    const text = textOf(node)
    if (text === undefined) return ts.forEachChild(node, visit)
    found.push(text)
  }
  visit(ts.createSourceFile(file, fs.readFileSync(file, "utf8"), ts.ScriptTarget.Latest))
  return found
}

/** Options of pyro's commands, as they are typed. */
const options = new Set(
  operations.flatMap(({ payload }) =>
    payloadFields(payload() as never).map(({ name }) => `--${name.replaceAll("_", "-").replace(/s$/, "")}`)
  )
)

/** Sentences of pyro. Arguments of other programs are single words. */
const sentences = FOLDERS.flatMap((folder) =>
  (fs.readdirSync(path.join(root, folder), { recursive: true }) as ReadonlyArray<string>)
    .filter((file) => file.endsWith(".ts"))
    .map((file) => `${folder}/${file}`)
    .filter((file) => !FOR_PEOPLE.test(file))
    .flatMap((file) => textsIn(path.join(root, file)).map((text) => ({ file, text })))
).filter(({ text }) => /\s/.test(text) && !text.startsWith("diff --git ") && !text.startsWith("PYRO_"))

/** Commands of workspaces, with and without the group that may be omitted. */
const COMMANDS = new RegExp(
  `\\bpyro (?:workspace )?(?:${
    operations.flatMap(({ cli: { path } }) => path[0] === "workspace" ? [path.slice(1).join(" ")] : []).join("|")
  })\\b`,
  "g"
)

/** What of a text is the command line's: options of pyro, commands of pyro that are tools, and pages of the documents. */
const cliWordsOf = (text: string) => [
  ...(text.match(/(?<![\w-])--[a-z]+(?:-[a-z]+)*/g) ?? []).filter((one) => options.has(one.replace(/s$/, ""))),
  ...(text.match(COMMANDS) ?? []),
  ...(text.match(/docs\/\S+/g) ?? [])
]

describe("a text of pyro that every surface shows", () => {
  it("there are many such texts", () => assert.isAbove(sentences.length, 500))

  it("it has no option, no command and no page of the documents: next steps have them as data", () => {
    const wrong = sentences.flatMap(({ file, text }) => {
      const words = cliWordsOf(text)
      return words.length === 0 ? [] : [`${file}: ${words.join(" ")}: ${text}`]
    })
    assert.deepStrictEqual(wrong, [])
  })
})
