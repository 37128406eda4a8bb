import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { ociArchive } from "../support/oci/archive.ts"
import { imageForms, imageOfForm } from "../support/oci/forms.ts"

let pyro: ReturnType<typeof installation>

beforeAll(() => {
  pyro = installation("pyro-forms-")
})

afterAll(() => pyro.close())

describe("the forms of public images start as in Docker", { concurrent: false, timeout: 300_000 }, () => {
  it.each(imageForms)("$name", async (form) => {
    const { config, directories, logs = [], name, started } = form
    const imported = await pyro.call(["env", "import", "-", "--name", name], {
      input: ociArchive([{ image: imageOfForm(form) }])
    })
    assert.strictEqual(imported.code, 0, imported.stderr)
    const { image } = await pyro.json<{ readonly image: Readonly<Record<string, unknown>> }>(["env", "inspect", name])
    const { ExposedPorts = {}, Healthcheck, StopSignal } = config
    const ports = Object.keys(ExposedPorts).sort()
    assert.deepStrictEqual(image["exposed_ports"], ports)
    assert.strictEqual(image["stop_signal"], StopSignal)
    assert.deepStrictEqual(
      image["health_check"],
      Healthcheck === undefined
        ? undefined
        : { command: Healthcheck.Test.slice(1), interval_ms: Healthcheck.Interval / 1e6 }
    )
    const isShell = config.Cmd[0]!.startsWith("/")
    const run = ["run", name, "--mem-mib", "256", ...(isShell ? ["--interactive"] : [])]
    const ran = await pyro.call(run, isShell ? { input: Buffer.from("FORM=/bin/sh exec facts\n") } : {})
    assert.strictEqual(ran.code, 0, ran.stderr)
    // No port is published by itself, as with docker run without -p.
    for (const port of ports) assert.include(ran.stderr, port)
    const lines = ran.stdout.toString().split("\n")
    const shown = directories.map(({ owner, path, shown }) => `${path} ${shown} ${owner.join(":")}`)
    assert.deepStrictEqual(lines.slice(0, 3 + shown.length + logs.length), [
      // Docker begins in / without WORKDIR, and pyro in /workspace.
      `started: ${started.replace("cwd=/ ", "cwd=/workspace ")}`,
      `command: ${[config.Cmd[0], ...config.Cmd.slice(1)].join(" ")}${config.Cmd.length === 1 ? " " : ""}`,
      "0022",
      ...shown,
      ...logs.map((log) => `into ${log}`)
    ])
    assert.includeMembers(lines, [...config.Env ?? []])
    assert.isDefined(lines.find((line) => /^HOSTNAME=./.test(line)))
  })
})
