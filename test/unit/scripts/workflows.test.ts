import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { parse } from "yaml"

const root = path.join(import.meta.dirname, "../../..")
const textOf = (...names: ReadonlyArray<string>) => fs.readFileSync(path.join(root, ...names), "utf8")

interface Step {
  readonly run?: string
  readonly uses?: string
}
interface Job {
  readonly steps: ReadonlyArray<Step>
  readonly strategy?: { readonly matrix: Readonly<Record<string, ReadonlyArray<string>>> }
  readonly permissions?: Readonly<Record<string, string>>
}
interface Workflow {
  readonly on: unknown
  readonly permissions: Readonly<Record<string, string>>
  readonly jobs: Readonly<Record<string, Job>>
}
const files = fs.readdirSync(path.join(root, ".github/workflows"))
const workflows = files.map((file) => ({ file, workflow: parse(textOf(".github/workflows", file)) as Workflow }))
const workflow = (name: string) => workflows.find(({ file }) => file === name)!.workflow

/** What the steps of a job run, once for each value of its matrix. */
const commandsOf = ({ steps, strategy }: Job): ReadonlyArray<string> => {
  const [name, values] = Object.entries(strategy?.matrix ?? {})[0] ?? ["", [""]]
  return values.flatMap((value) => steps.map(({ run = "" }) => run.replaceAll(`\${{ matrix.${name} }}`, value)))
}
const commands = workflows.flatMap(({ workflow }) => Object.values(workflow.jobs).flatMap(commandsOf))
const called = (pattern: RegExp) => commands.flatMap((text) => [...text.matchAll(pattern)].map(([, name]) => name!))

const { scripts } = JSON.parse(textOf("package.json")) as { readonly scripts: Readonly<Record<string, string>> }
const { jobs } = await import(path.join(root, "scripts/test/jobs.mjs")) as {
  readonly jobs: Readonly<Record<string, ReadonlyArray<string>>>
}

describe("the workflows of GitHub", () => {
  it("a workflow calls only npm scripts and files that exist", () => {
    const names = called(/\bnpm run ([\w:-]+)/g)
    assert.isNotEmpty(names)
    for (const name of names) assert.property(scripts, name)
    const programs = called(/(?:^|\s|&&)(?:node )?((?:\.ci|scripts)\/[\w./-]+)/gm)
    assert.includeMembers([...programs], [".ci/run", "scripts/release.mjs"])
    for (const program of programs) assert.isTrue(fs.existsSync(path.join(root, program)), program)
  })

  it("every action has a version, and every token only the rights that its job names", () => {
    for (const { file, workflow } of workflows) {
      assert.deepStrictEqual(workflow.permissions, { contents: "read" }, file)
      for (const { steps } of Object.values(workflow.jobs)) {
        for (const { uses } of steps) {
          if (uses !== undefined) assert.match(uses, /^actions\/[\w-]+@(v\d+|[0-9a-f]{40})$/, file)
        }
      }
    }
    const rights = workflows.flatMap(({ workflow }) =>
      Object.entries(workflow.jobs).flatMap(([name, { permissions = {} }]) =>
        Object.entries(permissions).filter(([, right]) => right === "write").map(([right]) => `${name}: ${right}`)
      )
    )
    assert.deepStrictEqual(rights.sort(), ["package: attestations", "package: id-token", "publish: contents"])
  })

  it("a script of a run step takes no text of an event, which a stranger may have written", () => {
    for (const command of commands) assert.notMatch(command, /\$\{\{/)
  })

  it("the workflow has the jobs of the test command", () => {
    const asked = commandsOf(workflow("ci.yml").jobs["suites"]!).flatMap((text) => /job:(\w+)/.exec(text)?.[1] ?? [])
    assert.deepStrictEqual(asked, Object.keys(jobs))
  })

  it("every project of vitest, and every other suite, is in exactly one job", () => {
    const projects = [...textOf("vitest.config.ts").matchAll(/^ *(?:\{ \.\.\.)?project\("(\w+)"/gm)].map(([, name]) =>
      name!
    )
    assert.include(projects, "guest")
    assert.include(projects, "frameworks")
    const long = called(/\bnpm run test:(\w+)/g).flatMap((name) =>
      [...textOf("scripts/test", `${name}.mjs`).matchAll(/vitestTests\(\[([^\]]*)\]/g)]
        .flatMap(([, list]) => [...list!.matchAll(/"(\w+)"/g)].map(([, project]) => project!))
    )
    assert.deepStrictEqual(
      [...Object.values(jobs).flat(), ...long].sort(),
      [...projects, "native", "python", "lab", "checks"].sort()
    )
  })

  it("the test command refuses a job that does not exist, and names those that do", () => {
    const { status, stderr } = spawnSync(process.execPath, ["scripts/test.mjs", "job:none"], {
      cwd: root,
      encoding: "utf8"
    })
    assert.strictEqual(status, 2)
    for (const job of Object.keys(jobs)) assert.include(stderr, `job:${job}`)
  })
})

describe("the check of a release", () => {
  const { version } = JSON.parse(textOf("package.json")) as { readonly version: string }
  const release = (tag: string) =>
    spawnSync(process.execPath, ["scripts/release.mjs", tag], { cwd: root, encoding: "utf8" })

  it("a tag that is not the version is refused, with both", () => {
    for (const tag of ["v9.9.9", version, ""]) {
      const { status, stderr, stdout } = release(tag)
      assert.strictEqual(status, 1)
      assert.include(stderr, `the tag is ${tag}, and package.json has the version ${version}`)
      assert.strictEqual(stdout, "")
    }
  })

  it("package.json and package-lock.json have one version", () => {
    assert.notInclude(release(`v${version}`).stderr, "package-lock.json")
  })
})

describe("the forms of an issue", () => {
  for (const name of ["bug.yml", "feature.yml"]) {
    it(`${name} has fields with ids of their own, of a kind that GitHub knows`, () => {
      const { body } = parse(textOf(".github/ISSUE_TEMPLATE", name)) as {
        readonly body: ReadonlyArray<{ readonly type: string; readonly id?: string }>
      }
      const fields = body.filter(({ type }) => type !== "markdown")
      for (const { type } of fields) assert.include(["input", "textarea", "dropdown", "checkboxes"], type)
      assert.strictEqual(new Set(fields.map(({ id }) => id)).size, fields.length)
    })
  }
})
