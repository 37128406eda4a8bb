import { Cause, type Schema, type SchemaAST } from "effect"
import { assert, describe, it } from "vitest"
import { InvalidRequest, PyroError, SeedRejected, WorkspaceNotReady } from "../../../src/contract/errors/errors.ts"
import { operations } from "../../../src/contract/rows/operations.ts"
import { errorText } from "../../../src/mcp/error-text.ts"
import { selectionNames } from "../../../src/mcp/profile.ts"
import { profileTools, selectedTools } from "../../../src/mcp/tool-table.ts"
import { hasToolsOf, inToolWords } from "../../../src/mcp/tool-words.ts"

/** A value of a field's type; texts have words of the command line. */
const sampleOf = (ast: SchemaAST.AST): unknown => {
  switch (ast._tag) {
    case "Undefined":
      return undefined
    case "Number":
      return 4711
    case "Boolean":
      return true
    case "Arrays":
      return ast.rest.map((type) => sampleOf(type))
    case "Objects":
      return Object.fromEntries(ast.propertySignatures.map((field) => [field.name, sampleOf(field.type)]))
    case "Union":
      return sampleOf(ast.types[0]!)
    case "Literal":
      return ast.literal
    default:
      return "a value"
  }
}

/** Every class of error, with each of the values that decide about its words. */
const errors = PyroError.members.flatMap(({ to }): ReadonlyArray<PyroError> => {
  const make = to as unknown as { new(fields: object): PyroError; readonly fields: Schema.Struct.Fields }
  const { _tag, ...fields } = make.fields
  const asts = Object.entries(fields).map(([name, { ast }]) => [name, ast] as const)
  const plain = Object.fromEntries(asts.map(([name, ast]) => [name, sampleOf(ast)]))
  const others = asts.flatMap(([name, ast]) =>
    ast._tag === "Union" ? ast.types.map((one) => ({ ...plain, [name]: sampleOf(one) })) : []
  )
  const states = ["stopped", "failed", "creating", "deleting"].map((state) => ({ ...plain, state }))
  const steps = ["length", "spawn", "exec"].map((step) => ({ ...plain, step }))
  return [plain, ...others, ..."state" in plain ? states : [], ..."step" in plain ? steps : []].map((one) =>
    new make(Object.fromEntries(Object.entries(one).filter(([, value]) => value !== undefined)))
  )
})

const tools = profileTools("full")
const verbs = operations.flatMap(({ cli: { path } }) => path[0] === "workspace" ? [path.slice(1).join(" ")] : [])
const cliWords = new RegExp(`(^|\\s)--[a-z]|pyro (workspace|run|env list|${verbs.join("|")})\\b`)

describe("what a model is told of a failure", () => {
  it.each(selectionNames)("an error on a server with %s names no tool that the server lacks", (selection) => {
    const there = selectedTools(selection)
    for (const error of errors) {
      for (const tool of there) {
        const text = errorText(Cause.fail(error), tool)
        assert.isTrue(hasToolsOf(text, tool), text)
        assert.match(text, /\nhint: \S/)
      }
    }
  })

  it("no error text for a model has options or commands of the command line", () => {
    assert.isAbove(errors.length, 60)
    for (const error of errors) {
      for (const tool of tools) {
        const text = errorText(Cause.fail(error), tool)
        assert.notMatch(text, cliWords, `${error._tag} of ${tool.listed.name}`)
      }
    }
  })

  it.each([
    ["workspace_export", "replaced with --overwrite", "replaced with overwrite: true"],
    ["workspace_export", "more than 5 MiB; allow more with --max-mib", "allow more with the user's option max-mib"],
    ["workspace_export", "goes with --patch only", "goes with patch: true only"],
    ["workspace_create", "seed from the clone with --seed-path", "seed from the clone with seed_path"],
    ["workspace_create", "take all of it with --allow-home", "take all of it with the user's option allow-home"],
    ["workspace_create", "the user can allow more with --allow-read DIR", "with the server's option allow-read DIR"],
    ["workspace_exec", "come back to it with --exec-id 7", "come back to it with exec_id 7"],
    ["workspace_create", "To allow: --allow-host a.test:443", "To allow: allow_hosts a.test:443"],
    [
      "workspace_exec",
      "To allow: --allow-host a.test --allow-host b.test",
      "To allow: allow_hosts a.test allow_hosts b.test (allow_hosts: an argument where a VM is made, within what the user"
    ],
    [
      "workspace_exec",
      "To allow: pyro network set ws-1 --allow-host pypi --deny-host b.test --allow-host a.test:443",
      "To allow: workspace_network_set ws-1 allow_hosts pypi deny_hosts b.test allow_hosts a.test:443"
    ],
    [
      "workspace_exec",
      "To allow: pyro network set ws-1 --allow-host pypi --allow-ip 192.0.2.1",
      "To allow: allow_hosts pypi the user's option allow-ip 192.0.2.1 (allow_hosts: an argument where a VM is made"
    ],
    [
      "workspace_exec",
      "To allow a host: pyro network set ws-1 --allow-host HOST (docs/network.md). Dependencies get in",
      "To allow a host: workspace_network_set ws-1 allow_hosts HOST. Dependencies get in"
    ],
    [
      "workspace_exec",
      "by name: --deny-host b.test. To lift this denial, name the policy anew without it: pyro network set ws-1 --allow-host pypi --network-policy egress",
      "by name: the user's option deny-host b.test. To lift this denial, name the policy anew without it: workspace_network_set ws-1 allow_hosts pypi network_policy egress"
    ],
    ["workspace_exec", "To allow: --allow-ip 192.0.2.1", "To allow: the user's option allow-ip 192.0.2.1"],
    ["workspace_status", "give up: pyro workspace delete ws-1", "give up: workspace_delete ws-1"],
    ["workspace_status", "pyro workspace snapshot list fix", "workspace_snapshot_list fix"],
    ["workspace_status", "give up: pyro delete ws-1", "give up: workspace_delete ws-1"],
    ["workspace_status", "pyro snapshot list fix", "workspace_snapshot_list fix"],
    ["workspace_status", "pyro network set fix", "workspace_network_set fix"],
    ["workspace_exec", "it is off (docs/network.md). More", "it is off. More"],
    ["workspace_status", "only the user: pyro daemon stop", "only the user: pyro daemon stop"],
    ["workspace_status", "a file called a--overwrite --no-such", "a file called a--overwrite --no-such"],
    [
      "workspace_reset",
      "undone: “git log --oneline --stat”; “pyro list --json”. To see more: pyro workspace logs fix",
      "undone: “git log --oneline --stat”; “pyro list --json”. To see more: workspace_logs fix"
    ]
  ])("the text of %s has arguments and tools for options and commands: %s", (name, text, expected) => {
    assert.include(inToolWords(text, tools.find(({ listed }) => listed.name === name)!), expected)
  })

  it("a command that no tool of the server does is the user's", () => {
    const [core] = selectedTools("workspace-core")
    assert.strictEqual(
      inToolWords("list: pyro snapshot list fix", core!),
      "list: the user's command workspace snapshot list fix"
    )
    assert.strictEqual(
      inToolWords("allow: `pyro answer fix c909a1 allow`, or on the page of `pyro ui`", core!),
      "allow: the user's command `workspace answer fix c909a1 allow`, or on the page of `pyro ui`"
    )
  })

  it("a server that changes no network names the options of a grant", () => {
    const [core] = selectedTools("workspace-core")
    assert.match(
      inToolWords("To allow: pyro network set ws-1 --allow-host pypi --allow-host a.test", core!),
      /^To allow: allow_hosts pypi allow_hosts a\.test( \(|$)/
    )
  })

  it("error details of pyro are translated to a tool's terms", () => {
    const of = (name: string) => tools.find(({ listed }) => listed.name === name)!
    const texts = [
      errorText(
        Cause.fail(new SeedRejected({ path: "/", detail: "take all of it with --allow-home" })),
        of("workspace_create")
      ),
      errorText(
        Cause.fail(new InvalidRequest({ field: "x", detail: "goes with --patch only" })),
        of("workspace_export")
      ),
      errorText(
        Cause.fail(new WorkspaceNotReady({ workspace: "a", state: "failed", detail: "pyro delete ws-1" })),
        of("workspace_exec")
      )
    ]
    for (const text of texts) assert.notMatch(text, cliWords)
    assert.include(texts[0], "ask the user, who can use pyro's command line")
  })
})
