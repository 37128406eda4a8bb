import { Stream } from "effect"
import { assert, describe, it } from "vitest"
import { ChannelFailed, CommandNotFound, InvalidRequest } from "../../../src/contract/errors/errors.ts"
import { withWorkspace } from "../../../src/contract/rows/next-steps.ts"
import type { ExecEvent } from "../../../src/contract/rows/workspace-exec.ts"
import { named } from "../../../src/contract/text/names.ts"
import { ChannelFailed as ChannelFailedClass, PyroError } from "../../../src/sdk/connect.ts"
import { ended, EXEC_ID, handleService, output, rejection } from "./handle-service.ts"

describe("exec of a workspace that a program holds", () => {
  it("a command resolves with any status, its signal by name, both outputs, and their order", async () => {
    const { fix } = handleService(() =>
      Stream.make(
        output("out", 3),
        output("err", 6, "stderr"),
        output(" again", 12),
        ended({ outcome: "signaled", status: 137, signal: 9 })
      )
    )
    assert.deepStrictEqual(await (await fix()).exec("make"), {
      status: 137,
      signal: "SIGKILL",
      outcome: "signaled",
      durationMs: 5,
      stdout: "out again",
      stderr: "err",
      output: "outerr again",
      stdoutBytes: 9,
      stderrBytes: 3,
      truncated: false,
      execId: EXEC_ID
    })
  })

  it("a text is a script, a list is a program with its arguments, and times in ms are seconds of the contract", async () => {
    const { asked, fix } = handleService()
    const ws = await fix()
    await ws.exec("make test", { timeoutMs: 1500, graceMs: 250, cwd: "src" })
    await ws.exec(["git", "status"])
    const [script, argv] = asked.filter(([name]) => name === "exec").map(([, payload]) => payload)
    assert.deepInclude(script, {
      workspace: "ws-0000000001",
      script: "make test",
      command: [],
      timeoutSeconds: 1.5,
      graceSeconds: 0.25,
      cwd: "src"
    })
    assert.deepInclude(argv, { command: ["git", "status"], graceSeconds: 2 })
    assert.notProperty(argv, "script")
  })

  it("output of some MiB is whole, and the middle of longer output is left out, and counted", async () => {
    const mib = 1_048_576
    const printing = (count: number) =>
      handleService(() =>
        Stream.concat(
          Stream.map(Stream.range(1, count), (at) => output("x".repeat(mib), at * mib)),
          Stream.make(ended())
        )
      ).fix()
    const whole = await (await printing(16)).exec("make")
    assert.deepInclude(whole, { stdoutBytes: 16 * mib, truncated: false })
    assert.strictEqual(whole.stdout.length, 16 * mib)
    assert.strictEqual(whole.output.length, 16 * mib)
    const cut = await (await printing(17)).exec("make")
    assert.deepInclude(cut, { stdoutBytes: 17 * mib, truncated: true })
    assert.include(cut.stdout, `\n[... ${mib} bytes left out ...]\n`)
    const asked = await (await printing(2)).exec("make", { maxBytes: 10 })
    assert.strictEqual(asked.stdout, `xxxxx\n[... ${2 * mib - 10} bytes left out ...]\nxxxxx`)
    const refused = await rejection((await printing(0)).exec("make", { maxBytes: 67_108_865 }))
    assert.deepInclude(refused, { _tag: "InvalidRequest", field: "maxBytes" })
  })

  it("listeners get the output as it arrives, with characters that come in two pieces whole", async () => {
    const [first, second] = [Buffer.from("ü").subarray(0, 1), Buffer.from("ü").subarray(1)]
    const { fix } = handleService(() =>
      Stream.make(
        { _tag: "Output", from: "stdout", bytes: first, next: 1 },
        output("!", 2, "stderr"),
        { _tag: "Output", from: "stdout", bytes: second, next: 3 },
        ended()
      )
    )
    const told: Array<string> = []
    await (await fix()).exec("make", {
      onStdout: (text) => told.push(`out ${text}`),
      onStderr: (text) => told.push(`err ${text}`)
    })
    assert.deepStrictEqual(told, ["err !", "out ü"])
  })

  it("a failure of pyro rejects with a class that has code, steps and the workspace's id", async () => {
    const { fix } = handleService(() => Stream.fail(new CommandNotFound({ command: "mkae" })))
    const failure = await rejection((await fix()).exec(["mkae"]))
    assert.instanceOf(failure, CommandNotFound)
    assert.isTrue(failure instanceof PyroError)
    assert.isFalse(failure instanceof ChannelFailedClass)
    assert.isFalse(new Error("another") instanceof PyroError)
    const { code, workspaceId } = failure as PyroError
    assert.deepStrictEqual({ code, workspaceId }, { code: "command_not_found", workspaceId: "ws-0000000001" })
    const { stack = "" } = failure as Error
    assert.match(stack, /^CommandNotFound \[command_not_found\]: Workspace\.exec: .*\n +at .*handle-exec\.test\.ts/)
    assert.notInclude(JSON.stringify(failure), "workspaceId")
  })

  it("an error has its next steps as data, and in its message", () => {
    const failure = withWorkspace(new ChannelFailed({ detail: "it is gone" }), "fix") as PyroError
    assert.deepStrictEqual(failure.next[1], {
      label: "Start a failed workspace first",
      call: "workspace.start",
      with: named([["workspace", "fix"]])
    })
    assert.include(
      failure.message,
      `${failure.fact}. Run it again. Start a failed workspace first: workspace.start {"workspace":"fix"}`
    )
    assert.deepStrictEqual((new InvalidRequest({ field: "name", detail: "is missing" }) as PyroError).next, [])
  })

  it("an aborted signal ends the command, and the promise rejects with its reason", async () => {
    const { fix, left } = handleService(() => Stream.concat(Stream.make(output("begun", 5)), Stream.never))
    const abort = new AbortController()
    const reason = new Error("enough")
    const ws = await fix()
    const running = ws.exec("make", { signal: abort.signal, onStdout: () => abort.abort(reason) })
    assert.strictEqual(await rejection(running), reason)
    assert.deepStrictEqual(left, [EXEC_ID])
  })

  it("stdin is text, bytes or an iterable, and its failure ends the command", async () => {
    const { fix, left } = handleService((_, input) =>
      Stream.concat(
        Stream.map(
          input?.stdin ?? Stream.empty,
          (bytes): ExecEvent => ({ _tag: "Output", from: "stdout", bytes, next: 0 })
        ),
        Stream.make(ended())
      )
    )
    const ws = await fix()
    const pieces = async function*() {
      yield "some "
      yield Buffer.from("pieces")
    }
    for (const stdin of ["some pieces", Buffer.from("some pieces"), pieces()]) {
      assert.strictEqual((await ws.exec("cat", { stdin })).stdout, "some pieces")
    }
    assert.deepStrictEqual(left.splice(0), [EXEC_ID, EXEC_ID, EXEC_ID])
    const lost = async function*() {
      yield "half"
      throw new Error("the line is dead")
    }
    assert.deepInclude(await rejection(ws.exec("cat", { stdin: lost() })), {
      _tag: "InvalidRequest",
      detail: "could not be read: the line is dead"
    })
    assert.deepStrictEqual(left, [EXEC_ID])
  })

  it("a closed client rejects the calls of its workspaces", async () => {
    const { connect } = handleService()
    const client = connect()
    const ws = await client.get("fix")
    await client.close()
    assert.deepInclude(await rejection(ws!.exec("true")), { code: "daemon_unavailable" })
    const fact = "this client was closed"
    const next = [{ label: "Make another client, and close it after the last call" }]
    assert.deepInclude(await rejection(client.list()), { code: "daemon_unavailable", closed: true, fact, next })
  })
})
