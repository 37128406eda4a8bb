import { Schema } from "effect"
import { assert, describe, it } from "vitest"
import type { CliSurface, PureSchema } from "../../../src/contract/rows/operation.ts"
import { operations } from "../../../src/contract/rows/operations.ts"
import { payloadDefaults, payloadFields } from "../../../src/contract/rows/payload-fields.ts"
import { run, type RunEvent, RunPayload } from "../../../src/contract/rows/run.ts"
import { milliseconds } from "../../../src/contract/text/fields.ts"

const rows = operations.map((row) => [row.name, row] as const)

describe("the table of operations", () => {
  it("operations have distinct names and paths", () => {
    assert.strictEqual(new Set(operations.map((row) => row.name)).size, operations.length)
    assert.strictEqual(new Set(operations.map((row) => row.cli.path.join(" "))).size, operations.length)
  })

  it("the daemon does what needs a builder, which is a workspace", () => {
    const builders: ReadonlyArray<string> = [
      "env.build",
      "env.import",
      "env.export",
      "workspace.commit",
      "workspace.create"
    ]
    const homes = operations.filter(({ name }) => builders.includes(name)).map(({ home, name }) => `${name} ${home}`)
    assert.deepStrictEqual(homes.sort(), builders.map((name) => `${name} daemon`).sort())
  })

  it.each(rows)("the CLI and MCP surfaces of %s name existing fields", (_, row) => {
    const cli: CliSurface = row.cli
    const names = payloadFields(row.payload()).map((field) => field.name)
    const spokenOf = [...cli.args, ...cli.argsOrFlags ?? [], ...Object.keys(cli.flags ?? {}), ...(cli.filled ?? [])]
    for (const name of cli.rest === undefined ? spokenOf : [...spokenOf, cli.rest]) assert.include(names, name)
  })

  it.each(rows)("every field of %s has a description", (_, row) => {
    for (const field of payloadFields(row.payload())) {
      assert.isAbove(field.description.length, 5, field.name)
      assert.match(field.name, /^[a-z]+(_[a-z]+)*$/)
    }
  })

  it("durations of results are whole milliseconds in JSON", () => {
    assert.strictEqual(Schema.encodeSync(milliseconds("Time"))(46.336179), 46)
    // The daemon's own timings of steps are fractions.
    const exempt = ["daemon.timings", "daemon.metrics", "daemon.status"]
    for (const [name, row] of rows.filter(([name]) => !exempt.includes(name))) {
      const schema = JSON.stringify(Schema.toJsonSchemaDocument(row.result() as PureSchema))
      assert.notMatch(schema, /"[a-z_]+_ms":\{(?:"anyOf":\[\{)?"type":"number"/, name)
    }
  })

  it.each(rows)("payload and result of %s have a JSON Schema", (_, row) => {
    for (const schema of [row.payload(), row.result()] as ReadonlyArray<PureSchema>) {
      const text = JSON.stringify(Schema.toJsonSchemaDocument(schema))
      assert.notMatch(text, /"[a-z]+[A-Z][A-Za-z]*Mib"|"totalMs"/)
    }
  })

  it.each(rows)("%s gives the reason of a missing surface", (_, row) => {
    if ("missing" in row.mcp) assert.isAbove(row.mcp.missing.length, 3)
    else assert.match(row.mcp.tool, /^[a-z]+(_[a-z]+)*$/)
  })
})

describe("a request to run", () => {
  const decode = Schema.decodeUnknownResult(RunPayload())
  const refusal = (fields: object) => {
    const decoded = decode({ environment: "debian:12", ...fields })
    assert.strictEqual(decoded._tag, "Failure", JSON.stringify(fields))
    return decoded._tag === "Failure" ? decoded.failure.message : ""
  }

  it("a run request has defaults for its optional fields", () => {
    assert.deepStrictEqual(payloadDefaults(RunPayload()), {
      environment: "debian:12",
      command: [],
      grace_seconds: 2,
      allow_home: false,
      env: {},
      include_ignored: [],
      no_package_cache: false,
      trust_host_certificates: false,
      cwd: "/workspace",
      workspace_user: "root",
      vcpu_count: 1,
      memory_mib: 1024,
      tty: false,
      rows: 24,
      cols: 80,
      max_bytes: 1_048_576
    })
  })

  it.each([
    [{ memory_mib: 8 }, /must be a whole number from 128 to 1048576 MiB/],
    [{ memory_mib: 128.5 }, /must be a whole number from 128 to 1048576 MiB/],
    [{ vcpu_count: 0 }, /must be a whole number from 1 to 32/],
    [{ timeout_seconds: 0 }, /must be more than 0/],
    [{ timeout_seconds: Number.NaN }, /must be more than 0/],
    [{ cwd: "" }, /must be a path in the guest/],
    [{ user: "a b" }, /must be a user name/],
    [{ env: { "A=B": "c" } }, /must be NAME=VALUE/],
    [{ env: { A: "b\0c" } }, /NUL/],
    [{ command: ["a\0b"] }, /NUL/],
    [{ environment: "" }, /must be a name/]
  ])("a run request refuses %j with the reason", (fields, why) => {
    assert.match(refusal(fields), why)
  })

  it("a run request survives JSON", () => {
    const request = Schema.decodeUnknownSync(RunPayload())({
      environment: "debian:12",
      command: ["a", ""],
      timeout_seconds: 1.5,
      env: { A: "=" },
      seed_path: "/x"
    })
    const json = JSON.parse(JSON.stringify(Schema.encodeSync(RunPayload())(request)))
    assert.deepStrictEqual(Schema.decodeUnknownSync(RunPayload())(json), request)
    assert.strictEqual(request.timeoutSeconds, 1.5)
  })
})

describe("the result of a run", () => {
  const payload = Schema.decodeUnknownSync(RunPayload())({ environment: "debian:12", max_bytes: 10 })
  const fold = (events: ReadonlyArray<RunEvent>) => {
    const folding = run.fold(payload)
    for (const event of events) folding.add(event)
    return folding.result()
  }
  const output = (from: "stdout" | "stderr", text: string): RunEvent => ({
    _tag: "Output",
    from,
    bytes: new TextEncoder().encode(text)
  })
  const exited: RunEvent = {
    _tag: "Exited",
    outcome: "exited",
    status: 0,
    durations: { totalMs: 3.14159, bootMs: 1, commandMs: 2.05 }
  }

  it("a run has no result before its command has ended", () => {
    assert.isUndefined(fold([{ _tag: "Started", bootMs: 1 }, output("stdout", "x")]))
  })

  it("a run result has each stream, bounded, and warnings without progress", () => {
    const result = fold([
      { _tag: "Notice", level: "progress", message: "building" },
      { _tag: "Notice", level: "warning", message: "skipped" },
      output("stdout", "abcdefgh"),
      output("stderr", "e"),
      output("stdout", "ijklmnop"),
      exited
    ])
    assert.deepInclude(result, {
      stdout: "abcde\n[... 6 bytes left out ...]\nlmnop",
      stderr: "e",
      stdoutBytes: 16,
      stderrBytes: 1,
      truncated: true,
      warnings: [{ message: "skipped" }]
    })
    assert.deepStrictEqual(result?.durations, { totalMs: 3.1, bootMs: 1, commandMs: 2.1 })
    assert.notProperty(result, "_tag")
  })
})
