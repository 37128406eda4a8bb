import { Effect, Result } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { route, splitArgv } from "../../../src/cli/arguments/argv.ts"
import { decode, parse } from "../../../src/cli/arguments/parser.ts"
import { commands } from "../../../src/cli/rows/rows.ts"
import {
  blocksOf,
  helpExamples,
  isRun,
  ofMicroVms,
  pages,
  pagesOverLocalAgents,
  pyroWords,
  sessions,
  stories,
  storiesInMicroVms
} from "../../support/documents/documented.ts"
import { notRun } from "../../support/documents/not-run.ts"
import { shellCommands } from "../../support/documents/shell-commands.ts"
import { complaintsOf } from "../../support/package/compiled.ts"

const root = path.resolve(import.meta.dirname, "../../..")

/** What pyro's parser says against the words of a command line, if anything. */
const refusal = async (words: ReadonlyArray<string>): Promise<string | undefined> => {
  const { own, rest } = splitArgv(words)
  const routed = route(own)
  if (routed._tag === "Wrong") return routed.detail
  if (routed._tag !== "Operation") return undefined
  const { operation } = routed
  const parsed = await Effect.runPromise(Effect.result(parse(operation, routed.words, rest)))
  if (Result.isFailure(parsed)) return parsed.failure.message
  // A flag that names a file has its field filled when it runs.
  if (operation.cli.extras !== undefined) return undefined
  const decoded = await Effect.runPromise(
    Effect.result(decode(operation.cli, operation.payload(), parsed.success.raw))
  )
  return Result.isFailure(decoded) ? decoded.failure.message : undefined
}

const all = [
  ...stories.flatMap(({ commands, page }) => commands.map((command) => ({ page, ...command }))),
  ...sessions.flatMap(({ page, steps }) => steps.map(({ command }) => ({ page, ...command })))
]

describe("commands in the documents", () => {
  it("pyro's parser accepts every command of the documents", async () => {
    const wrong: Array<string> = []
    for (const { calls, page, text } of all) {
      for (const call of calls) {
        const words = pyroWords(call)
        const said = words === undefined ? undefined : await refusal(words)
        if (said !== undefined) wrong.push(`${page}: ${text}: ${said}`)
      }
    }
    assert.deepStrictEqual(wrong, [])
    assert.isAbove(all.length, 100)
  })

  it("every code block of the documents has a known language", () => {
    const bare = pages.flatMap(({ page, text }) => {
      const fences = [...text.matchAll(/^ *```(.*)$/gm)].map(([, language]) => language!)
      return fences.filter((language, at) => at % 2 === 0 && !/^(console|sh|text|ts|json|toml)$/.test(language))
        .map((language) => `${page}: \`\`\`${language}`)
    })
    assert.deepStrictEqual(bare, [])
  })

  it("every command that tests do not run is in the documents", () => {
    const texts = new Set(all.map(({ text }) => text))
    assert.deepStrictEqual([...notRun.keys(), ...ofMicroVms.keys()].filter((text) => !texts.has(text)), [])
  })

  it("every example of a help text runs, over local agents or in microVMs", () => {
    const textsOf = (some: typeof stories) => new Set(some.flatMap((one) => one.commands.map(({ text }) => text)))
    const run = textsOf([...helpExamples, ...pagesOverLocalAgents, ...storiesInMicroVms])
    const examples = stories.flatMap(({ commands, page }) => page.endsWith("--help") ? commands.filter(isRun) : [])
    assert.deepStrictEqual(examples.filter(({ text }) => !run.has(text)), [])
    const inMicroVms = textsOf(storiesInMicroVms)
    assert.deepStrictEqual([...ofMicroVms.keys()].filter((text) => !inMicroVms.has(text)), [])
    assert.isAbove(helpExamples.length, 80)
    assert.isAbove(pagesOverLocalAgents.length, 10)
  })

  it("the documents and the examples of help type commands without the group that may be omitted", () => {
    // Pages that say what the short form stands for, or which command line was measured.
    const explaining = [
      "README.md",
      "docs/commands.md",
      "docs/benchmarks.md",
      "docs/design/daemon.md",
      "docs/design/choices.md"
    ]
    const long = new RegExp(
      `pyro workspace (?:${
        commands.flatMap(({ cli: { path } }) => path[0] === "workspace" ? [path[1]] : []).join("|")
      })\\b`
    )
    const lines = pages.filter(({ page }) => !explaining.includes(page)).flatMap(({ text }) => text.split("\n"))
    const examples = commands.flatMap(({ cli }) => cli.examples)
    assert.deepStrictEqual([...lines, ...examples].filter((line) => long.test(line)), [])
  })

  it("commands in sentences of the documents exist", async () => {
    const wrong: Array<string> = []
    for (const { page, text } of pages) {
      for (const [, command] of text.replace(/^```[^]*?^```$/gm, "").matchAll(/`(pyro [^`]+)`/g)) {
        const said = command!.startsWith("pyro needs ")
          ? undefined
          : await refusal(shellCommands(command!)[0]!.calls[0]!.slice(1))
        const isShort = said === undefined || /: missing|needs a verb|must be/.test(said)
        if (!isShort) wrong.push(`${page}: ${command}: ${said}`)
      }
    }
    assert.deepStrictEqual(wrong, [])
  })
})

describe("configurations in the documents", () => {
  const servers = (value: unknown): ReadonlyArray<ReadonlyArray<string>> => {
    if (typeof value !== "object" || value === null) return []
    const { args, command } = value as { readonly args?: ReadonlyArray<string>; readonly command?: unknown }
    if (Array.isArray(command)) return [command]
    return typeof command === "string" ? [[command, ...args ?? []]] : Object.values(value).flatMap(servers)
  }

  it.each(pages.flatMap(({ page, text }) => blocksOf(text, "json").map((block) => [page, block] as const)))(
    "a configuration in %s starts pyro with valid arguments: %s",
    async (_, block) => {
      const found = servers(JSON.parse(block))
      assert.isNotEmpty(found)
      for (const [program, ...words] of found) {
        assert.strictEqual(program, "pyro")
        assert.isUndefined(await refusal(words))
      }
    }
  )
})

describe("programs in the documents", () => {
  it("programs in the documents compile against the library", () => {
    const programs = new Map(
      pages.flatMap(({ page, text }) =>
        blocksOf(text, "ts").map((
          program,
          at
        ) => [`${page.replace(/\W/g, "-")}-${at + 1}.ts`, program])
      )
    )
    assert.isNotEmpty([...programs])
    assert.deepStrictEqual(complaintsOf(programs), [])
    assert.isFalse(fs.existsSync(path.join(root, [...programs.keys()][0]!)))
  }, 120_000)
})
