import * as fs from "node:fs"
import * as path from "node:path"
import { help } from "../../../src/cli/help/help.ts"
import { commands } from "../../../src/cli/rows/rows.ts"
import { isRoot } from "../../../src/system/processes/host.ts"
import { notRun } from "./not-run.ts"
import { type ShellCommand, shellCommands } from "./shell-commands.ts"

const root = path.resolve(import.meta.dirname, "../../..")

/** Commands that a reader types one after the other. */
export interface Story {
  /** The page, or the command whose help shows them. */
  readonly page: string
  readonly commands: ReadonlyArray<ShellCommand>
}

/** Pages that people read; the contract's page is generated from the operation table, whose examples are stories of their own. */
export const pages: ReadonlyArray<{ readonly page: string; readonly text: string }> = [
  "README.md",
  // A model reads this one.
  "docs/skills/pyro/SKILL.md",
  ...["docs", "docs/design", "docs/use-cases"].flatMap((folder) =>
    fs.readdirSync(path.join(root, folder)).filter((name) => name.endsWith(".md") && name !== "public-contract.md")
      .sort().map((name) => `${folder}/${name}`)
  )
].map((page) => ({ page, text: fs.readFileSync(path.join(root, page), "utf8") }))

/** Pages whose commands the tests in test/smoke run (`npm run smoke`). */
export const smokePages: ReadonlyArray<string> = fs.readdirSync(path.join(root, "test/smoke")).sort().map((test) =>
  `docs/use-cases/${test.replace(/\.test\.ts$/, ".md")}`
)

/** The fenced blocks of a page in one language. */
export const blocksOf = (text: string, language: string): ReadonlyArray<string> =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm"))].map(([, block]) => block!)

/** One command of a recorded session and the lines that it printed; `…` stands for text that differs each time. */
export interface RecordedStep {
  readonly command: ShellCommand
  readonly output: ReadonlyArray<string>
}

const recordedSteps = (block: string): ReadonlyArray<RecordedStep> =>
  block.split(/^\$ /m).slice(1).map((step) => {
    const [command = "", ...output] = step.split("\n").slice(0, -1)
    return { command: shellCommands(command)[0]!, output }
  })

/** Each `console` block of the pages. */
export const sessions: ReadonlyArray<{ readonly page: string; readonly steps: ReadonlyArray<RecordedStep> }> = pages
  .flatMap(({ page, text }) => blocksOf(text, "console").map((block) => ({ page, steps: recordedSteps(block) })))

/** Whether a command printed a line as a page shows it. */
export const isAsShown = (line: string, shown: string) =>
  new RegExp(`^${shown.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".+")}$`).test(line)

/** Example lines of the help of `pyro` itself. */
const ownHelp = help([]).split("\n").flatMap((line) => {
  const [, example] = /^ {2}(pyro .+?)(?: {2,}.*)?$/.exec(line) ?? []
  return example === undefined ? [] : [example]
})

/** Each page's shell blocks, and the examples of each help text: these stand for themselves. */
export const stories: ReadonlyArray<Story> = [
  ...pages.map(({ page, text }) => ({ page, commands: blocksOf(text, "sh").flatMap(shellCommands) })),
  ...ownHelp.map((example) => ({ page: "pyro --help", commands: shellCommands(example) })),
  ...commands.flatMap(({ cli }) =>
    cli.examples.map((example) => ({
      page: `pyro ${cli.path.join(" ")} --help`,
      commands: shellCommands(example)
    }))
  )
].filter(({ commands }) => commands.length > 0)

/** Programs of agent hosts, which a test would have to install; pyro's parser reads how they start the server. */
const isHost = ([program = ""]: ReadonlyArray<string>) => /^(claude|codex|gemini|opencode)$/.test(program)

/** Agents in workspaces need a key and a model: test/guest/agent-inside.test.ts has both. */
const isAgent = ([program, word]: ReadonlyArray<string>) => program === "pyro" && word === "agent"

/** Whether the test of the documents runs a command. */
export const isRun = ({ calls, text }: ShellCommand) =>
  !notRun.has(text) && !calls.some((call) => isHost(call) || isAgent(call))

/** What a program is told in the words of a command line; `undefined` where it is none of pyro's. */
export const pyroWords = (call: ReadonlyArray<string>): ReadonlyArray<string> | undefined => {
  if (call[0] === "pyro") return call.slice(1)
  // A host is told how to start the server.
  return isHost(call) && call.includes("pyro") ? call.slice(call.lastIndexOf("pyro") + 1) : undefined
}

/** Pages with a test of their own, which compares the output, too. The one of docs/docker.md is test/clients/docker.test.ts. */
const isToldElsewhere = (page: string) =>
  page === "docs/first-run.md" || page === "docs/docker.md" || smokePages.includes(page)

/** Stories with the commands of them that run, each story once: an example of a help text may stand in a page, too. */
const told = stories.flatMap(({ commands, page }) => {
  const run = commands.filter(isRun)
  return run.length === 0 || isToldElsewhere(page) ? [] : [{ page, commands: run }]
}).filter(({ commands, page }, at, all) => {
  const before = new Set(all.slice(0, at).flatMap(({ commands }) => commands.map(({ text }) => text)))
  return !page.endsWith("--help") || !commands.every(({ text }) => before.has(text))
})

const DEBIAN = "the file is of the guest's Debian"
const IMAGE = "the disk is a directory"

/** Commands that a local agent cannot run, each with its reason. Tests run them in microVMs. */
export const ofMicroVms: ReadonlyMap<string, string> = new Map([
  ["pyro file read fix /etc/os-release", DEBIAN],
  ["pyro file download fix /var/log/app.log > app.log", DEBIAN],
  ["pyro file download fix /var/log/app.log --offset 1048576 --length 4096", DEBIAN],
  ["pyro file stat fix /etc/os-release --no-follow", DEBIAN],
  ["pyro export fix /var/log/app.log --output app.log", DEBIAN],
  ["pyro disk list fix /var/log --recursive --depth 2", DEBIAN],
  ["pyro disk read fix /etc/os-release", DEBIAN],
  ["pyro prepare", "a local agent has no images"],
  ["pyro disk export fix --output fix.img", IMAGE],
  ["pyro disk export fix --format qcow2 --output fix.qcow2 --overwrite", IMAGE]
])

/** Pages that run in microVMs: the README, and those that need a root or a disk of their own, or end the daemon. */
const PAGES_IN_MICRO_VMS: ReadonlySet<string> = new Set([
  "README.md",
  "docs/disks.md",
  "docs/install.md",
  "docs/sdk.md",
  "docs/use-cases/rewind.md"
])

/** The kernel lets only root steer the connections of a local agent. */
const hasNetwork = isRoot()
const steers = (text: string) => /network|\bport\b|--publish|--allow-/.test(text)

const isHelp = ({ page }: Story) => page.endsWith("--help")
const isOfMicroVms = ({ text }: ShellCommand) => ofMicroVms.has(text)

const isOverLocalAgents = ({ commands, page }: Story) =>
  page !== "pyro --help" && !PAGES_IN_MICRO_VMS.has(page) && (hasNetwork || !commands.some(({ text }) => steers(text)))

/** The examples of help texts that test/daemon/help-examples.test.ts runs, over local agents. */
export const helpExamples = told.filter((story) =>
  isHelp(story) && isOverLocalAgents(story) && !story.commands.some(isOfMicroVms)
)

/** The pages that test/daemon/docs.test.ts runs, over local agents, without the commands that a local agent cannot run. */
export const pagesOverLocalAgents = told.filter((story) => !isHelp(story) && isOverLocalAgents(story))
  .map(({ commands, page }) => ({ page, commands: commands.filter((command) => !isOfMicroVms(command)) }))

/** The other pages' commands and examples, which test/guest/docs.test.ts runs, in microVMs. */
export const storiesInMicroVms = told.filter((story) =>
  !isOverLocalAgents(story) || isHelp(story) && story.commands.some(isOfMicroVms)
)

const programs = pages.flatMap(({ page, text }) =>
  blocksOf(text, "ts").map((program, at) => ({ page, name: `${page}, program ${at + 1}`, program }))
)

/** The program of the README runs in microVMs, and all others over local agents. */
export const programsInMicroVms = programs.filter(({ page }) => page === "README.md")
export const programsOverLocalAgents = programs.filter(({ page }) => page !== "README.md")
