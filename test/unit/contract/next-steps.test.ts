import { Cause, Effect, Schema } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { route, splitArgv } from "../../../src/cli/arguments/argv.ts"
import { decode, parse } from "../../../src/cli/arguments/parser.ts"
import {
  ChannelFailed,
  CommandNotExecutable,
  CommandNotFound,
  DiskDamaged,
  ExecNotFound,
  GuestPanicked,
  PyroError,
  VmFailed,
  WorkspaceNameTaken
} from "../../../src/contract/errors/errors.ts"
import { type NextStep } from "../../../src/contract/errors/next-step.ts"
import { calledRow, commandLine, takeable, typedMessage, withWorkspace } from "../../../src/contract/rows/next-steps.ts"
import { operations } from "../../../src/contract/rows/operations.ts"
import { payloadFields } from "../../../src/contract/rows/payload-fields.ts"
import { inputSchemaOf } from "../../../src/mcp/arguments.ts"
import { errorText } from "../../../src/mcp/error-text.ts"
import { selectionNames } from "../../../src/mcp/profile.ts"
import { selectedTools } from "../../../src/mcp/tool-table.ts"
import { errorSamples } from "../../support/daemon/error-samples.ts"
import { pyroWords } from "../cli/shell-words.ts"

/** Each error as a caller of the workspace "fix" gets it. */
const errors = errorSamples.map((error) => withWorkspace(error, "fix"))

type Call = Extract<NextStep, { readonly call: string }>

const steps = errors.flatMap((error) => error.next.map((step) => ({ error, step })))
const calls = steps.flatMap(({ error, step }) => "call" in step ? [{ error, step: step as Call }] : [])

const fieldNames = new Set(operations.flatMap((row) => payloadFields(row.payload()).map(({ name }) => name)))
/** Words of a surface: options and commands of the command line, tools. */
const OF_SURFACE = new RegExp(
  `(^|\\s)--[a-z]|\\bpyro (${
    [...new Set(operations.flatMap(({ cli: { path } }) => [path[0], path.slice(1).join(" ")]))].filter(Boolean).join(
      "|"
    )
  }|up|host|mcp)\\b|workspace_[a-z]`
)
/** An end of a detail that is a step. */
const IMPERATIVE = new RegExp(
  "[;:,.] (and )?(add|apply|ask|build|choose|copy|correct|delete|export|free|give|install|leave|look|make|name|push|put|read|remove|repeat|" +
    "resume|run|see|set|start|stop|try|use|wait) (it|them|the|a|an|another|again|first|one|with|by|in|only|npm|what|here|something|fewer)\\b",
  "i"
)

const sourceFiles = () =>
  fs.readdirSync("src", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts")).map((file) =>
    path.join("src", file)
  )

/** Options of commands that are no operation. */
const OWN_OPTIONS = new Set(["force"])

describe("the next steps of all errors", () => {
  it("are many, and each class whose fact does not say it has some", () => {
    assert.isAbove(errors.length, 200)
    assert.isAbove(calls.length, 80)
    const without = new Set(PyroError.members.map(({ to }) => to.identifier))
    for (const { error } of steps) without.delete(error._tag)
    assert.deepStrictEqual([...without].sort(), ["ExportRefused", "InvalidRequest"])
  })

  it("their labels are phrases that any surface can show", () => {
    for (const { error, step: { label } } of steps) {
      assert.match(label, /^[A-Z].*[^.:]$/s, error._tag)
      assert.notMatch(label, OF_SURFACE, error._tag)
    }
  })

  it("no fact names a command or an option of a surface", () => {
    for (const { _tag, fact } of errors) assert.notMatch(fact, OF_SURFACE, _tag)
  })

  it("no fact says what a step says", () => {
    const words = (text: string) => text.toLowerCase().replace(/^or /, "").replace(/[^a-z ]/g, "")
    for (const { error, step: { label } } of steps) assert.notInclude(words(error.fact), words(label), error._tag)
  })

  it("no detail of src tells what to do where the class has steps for that", () => {
    const told = sourceFiles().flatMap((file) =>
      [...fs.readFileSync(file, "utf8").matchAll(/new ([A-Z]\w+)\(\{((?:[^{}]|\{[^{}]*\})*)\}/g)].flatMap((
        [, name = "", fields = ""]
      ) =>
        name === "InvalidRequest"
          ? []
          : [...fields.matchAll(/detail:\s*([`"])((?:(?!\1).)*?)\1/gs)].map(([, , detail = ""]) => `${name}: ${detail}`)
      )
    )
    assert.isAbove(told.length, 100)
    assert.deepStrictEqual(told.filter((one) => IMPERATIVE.test(one)), [])
    assert.match("NoSpace: the workspace's disk is full; delete something", IMPERATIVE)
  })

  it("each call is complete: an operation of the table, with its arguments by name", () => {
    for (const { error, step } of calls) {
      const row = calledRow(step)
      assert.isDefined(row, `${error._tag}: ${step.call}`)
      const names = payloadFields(row!.payload()).map(({ name }) => name)
      for (const name of [...Object.keys(step.with), ...step.choose ?? []]) {
        assert.include(names, name, `${error._tag}: ${step.call}`)
      }
      assert.deepStrictEqual(takeable([step]), [step], `${error._tag}: ${step.call} lacks an argument`)
    }
  })

  it("each option is an argument of a call", () => {
    for (const { error, step } of steps) {
      if ("option" in step) {
        assert.isTrue(fieldNames.has(step.option) || OWN_OPTIONS.has(step.option), `${error._tag}: ${step.option}`)
      }
    }
  })

  it("on the command line, each call is a line that pyro's own parser reads as that call", () => {
    for (const { error, step } of calls) {
      const row = calledRow(step)!
      const line = commandLine(row, step.with, step.choose ?? [])
      const { own, rest } = splitArgv(pyroWords(line.replace(/\bPORT$/, "1")))
      const routed = route(own)
      if (routed._tag !== "Operation") throw new Error(`${error._tag}: ${line} is no operation`)
      assert.strictEqual(routed.operation.name, step.call, line)
      const { extras, lists, raw } = Effect.runSync(Effect.orDie(parse(routed.operation, routed.words, rest)))
      assert.deepInclude({ ...raw }, { ...step.with }, line)
      for (const field of step.choose ?? []) {
        const given = { ...raw, ...extras, ...lists }
        assert.isTrue(
          field in given || Object.keys(given).some((name) => name.startsWith("secret")),
          `${line}: ${field}`
        )
      }
      // What the caller chooses has no value yet that a field of numbers could take.
      if (step.choose === undefined) {
        Effect.runSync(Effect.orDie(decode(routed.operation.cli, routed.operation.payload(), raw)))
      }
    }
  })

  it.each(selectionNames)(
    "for a model on a server with %s, each call fits the schema of a tool that is there",
    (selection) => {
      const tools = selectedTools(selection)
      const schemas = new Map(tools.map(({ args, listed }) => [listed.name, inputSchemaOf(args)]))
      let found = 0
      for (const error of errors) {
        const hint = errorText(Cause.fail(error), tools[0]!).split("\nhint: ")[1] ?? ""
        assert.match(hint, /\S/, error._tag)
        if (/ask the user/.test(hint)) continue
        assert.notMatch(hint, /--[a-z]|\bpyro (start|stop|list|up)\b/, error._tag)
        for (const [, name = "", json = "{}"] of hint.matchAll(/call ([a-z]+_[a-z_]+) (\{.*?\})(?=$|\. |, with )/g)) {
          found++
          const schema = schemas.get(name)
          assert.isDefined(schema, `${error._tag}: ${name}`)
          const properties = schema!.properties ?? {}
          for (const [argument, value] of Object.entries(JSON.parse(json) as Record<string, unknown>)) {
            assert.property(properties, argument, `${error._tag}: ${name}`)
            const type = Array.isArray(value) ? "array" : typeof value
            const expected = JSON.stringify(properties[argument])
            assert.include(
              expected,
              type === "number" ? "\"type\":" : `"${type}"`,
              `${error._tag}: ${name} ${argument}`
            )
          }
        }
      }
      if (selection === "workspace-full") assert.isAbove(found, 40)
    }
  )

  it("to a program, they arrive as data, as they were made", () => {
    for (const error of errors) {
      const sent = JSON.parse(JSON.stringify(Schema.encodeSync(PyroError)(error))) as { readonly next: unknown }
      assert.deepStrictEqual(sent.next, JSON.parse(JSON.stringify(error.next)))
      const got = Schema.decodeUnknownSync(PyroError)(sent)
      assert.strictEqual(got.message, error.message)
      assert.strictEqual(got.code, error.code)
    }
  })

  it("an error of a peer that sends none has those of its class", () => {
    const { next: _, ...sent } = Schema.encodeSync(PyroError)(new WorkspaceNameTaken({ workspaceName: "fix" }))
    assert.isArray(Schema.decodeUnknownSync(PyroError)(sent).next)
  })
})

describe("the next step of a person", () => {
  it("after a broken guest a rewind comes before a reset, with the name of the workspace", () => {
    const disasters: ReadonlyArray<PyroError> = [
      new ChannelFailed({ detail: "it is gone" }),
      new ChannelFailed({ detail: "nothing came", reason: "silent" }),
      new CommandNotFound({ command: "/bin/sh" }),
      new CommandNotFound({ command: "ls" }),
      new CommandNotExecutable({ command: "ls", detail: "no interpreter" }),
      new DiskDamaged({ detail: "no file system" }),
      new GuestPanicked({ detail: "sysrq", consoleTail: "end" })
    ]
    for (const error of disasters) {
      const named = withWorkspace(error, "fix")
      assert.strictEqual(named.code, error.code)
      const message = typedMessage(named)
      assert.include(message, "pyro rewind fix")
      assert.isTrue(!message.includes("pyro reset") || message.indexOf("rewind") < message.indexOf("reset"))
      assert.notMatch(
        typedMessage(error),
        /pyro (rewind|start|reset|exec)/,
        "without a workspace there is no such command"
      )
    }
    const failed = withWorkspace(new VmFailed({ step: "exec", detail: "why", consoleTail: "" }), "fix")
    assert.match(typedMessage(failed), /why\. Run it again\. Start a failed workspace first: pyro start fix$/)
  })

  it("an error that knows the id alone names the workspace, unless its field is an id", () => {
    const gone = withWorkspace(new ExecNotFound({ workspace: "ws-0", execId: "e" }), "fix", "ws-0")
    assert.include(typedMessage(gone), "pyro logs fix")
    const other = new WorkspaceNameTaken({ workspaceName: "fix", workspace: "ws-0" })
    assert.strictEqual(withWorkspace(other, "fix", "ws-0"), other)
  })

  it("an error keeps its fields, and a workspace that its steps name already", () => {
    const named = withWorkspace(new ChannelFailed({ detail: "d", reason: "silent" }), "first")
    assert.strictEqual(withWorkspace(named, "second"), named)
    assert.deepInclude(named, { detail: "d", reason: "silent" })
  })

  it("a word that a shell would read otherwise is quoted", () => {
    const row = operations.find(({ name }) => name === "workspace.start")!
    assert.strictEqual(commandLine(row, { workspace: "a b; rm" }, []), "pyro start 'a b; rm'")
  })
})
