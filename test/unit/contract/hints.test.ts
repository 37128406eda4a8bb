import { Schema, SchemaAST } from "effect"
import { assert, describe, it } from "vitest"
import {
  ChannelFailed,
  CommandNotExecutable,
  CommandNotFound,
  DiskDamaged,
  ExecNotFound,
  ExportRefused,
  GuestPanicked,
  InvalidRequest,
  PyroError,
  VmFailed,
  WorkspaceNameTaken
} from "../../../src/contract/errors/errors.ts"
import { withWorkspace } from "../../../src/contract/errors/with-workspace.ts"
import { FILES_HAVE_CHANGED } from "../../../src/contract/text/export-refusals.ts"
import { sampleOf } from "../../support/samples.ts"

/** Values of fields that choose a text: steps of a microVM, states, programs. */
const CHOOSING: Readonly<Record<string, ReadonlyArray<unknown>>> = {
  command: ["/bin/sh", "ls", "make", "npm test", "mkae"],
  step: ["attach", "exec", "inspect", "start", "stop", "length", "user", "cwd"],
  state: ["running", "stopped", "failed", "paused", "creating", "deleting"]
}

/** Errors of a class: with each optional field and without, and with each value of the fields that choose. */
const samplesOf = (make: new(fields: object) => PyroError, fields: Schema.Struct.Fields): ReadonlyArray<PyroError> => {
  const own = Object.entries(fields).filter(([name]) => name !== "_tag")
  const needed = own.filter(([, { ast }]) => !SchemaAST.isOptional(ast))
  const whole = (some: typeof own) =>
    Object.fromEntries(some.map(([name, field]) => [name, sampleOf(field as Schema.Top, "x")]))
  const chosen = own.flatMap(([name, { ast }]) => {
    const literals = SchemaAST.isUnion(ast)
      ? ast.types.flatMap((one) => SchemaAST.isLiteral(one) ? [one.literal] : [])
      : []
    return [...CHOOSING[name] ?? [], ...literals].map((value) => ({ [name]: value }))
  })
  return [needed, own].flatMap((some) => [{}, ...chosen].map((one) => new make({ ...whole(some), ...one })))
}

const errors = PyroError.members.flatMap(({ to }) => {
  const Class = to as unknown as { new(fields: object): PyroError; readonly fields: Schema.Struct.Fields }
  return samplesOf(Class, Class.fields)
})

const textsOf = (error: PyroError) =>
  JSON.stringify([
    error.message,
    error.fact,
    error.hint,
    error.toolSteps(true),
    error.toolSteps(false),
    Schema.encodeSync(PyroError)(error)
  ])

describe("the next command in an error", () => {
  it("no error of the contract says NAME in place of the workspace", () => {
    assert.isAbove(errors.length, 200)
    for (const error of errors) {
      assert.notMatch(textsOf(error), /\bNAME\b/, error._tag)
      assert.notMatch(textsOf(withWorkspace(error, "fix")), /\bNAME\b/, error._tag)
    }
  })

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
      const { code, message } = withWorkspace(error, "fix")
      assert.strictEqual(code, error.code)
      assert.include(message, "pyro rewind fix")
      assert.isTrue(!message.includes("pyro reset") || message.indexOf("rewind") < message.indexOf("reset"))
      assert.notMatch(error.message, /pyro (rewind|start|reset|exec)/, "without a workspace there is no such command")
    }
    const failed = withWorkspace(new VmFailed({ step: "exec", detail: "why", consoleTail: "" }), "fix")
    assert.match(failed.message, /why\. Run it again\. Start a failed workspace first: pyro start fix$/)
  })

  it("a model reads of `before` wherever an error of a workspace names workspace_reset", () => {
    for (const error of errors) {
      for (const step of [error.toolSteps(true)].flat()) {
        if (step.includes("workspace_reset")) assert.include(step, "before", `${error._tag}: ${step}`)
      }
    }
  })

  it("only commands of pyro in a detail are filled in", () => {
    const told = (detail: string) => withWorkspace(new InvalidRequest({ field: "secrets", detail }), "fix").message
    assert.strictEqual(
      told("NAME of no one; pyro service stop NAME web, pyro update NAME --secret-env NAME"),
      "secrets: NAME of no one; pyro service stop fix web, pyro update fix --secret-env NAME"
    )
    const { message } = withWorkspace(new ExportRefused({ detail: FILES_HAVE_CHANGED, paths: [] }), "fix")
    assert.include(message, "`pyro sync push fix DIR --force`")
  })

  it("an error that knows the id alone names the workspace, unless its field is an id", () => {
    const gone = withWorkspace(new ExecNotFound({ workspace: "ws-0", execId: "e" }), "fix", "ws-0")
    assert.include(gone.message, "pyro logs fix")
    const other = new WorkspaceNameTaken({ workspaceName: "fix", workspace: "ws-0" })
    assert.strictEqual(withWorkspace(other, "fix", "ws-0"), other)
  })

  it("an error keeps its fields, and a name that it has already", () => {
    const error = new ChannelFailed({ detail: "d", reason: "silent", workspace: "first" })
    assert.strictEqual(withWorkspace(error, "fix"), error)
    const named = withWorkspace(new ChannelFailed({ detail: "d", reason: "silent" }), "fix")
    assert.deepInclude(named, { detail: "d", reason: "silent", workspace: "fix" })
  })
})
