import { assert, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { OutputOptions } from "../../../src/cli/output/print.ts"
import { Terminal } from "../../../src/cli/terminal/Terminal.ts"
import { sshViews } from "../../../src/cli/views/ssh.ts"

const config = {
  id: "ws-1",
  name: "fix",
  host: "pyro-fix",
  user: "root",
  cwd: "/workspace",
  identityFile: "/s/key",
  knownHostsFile: "/s/known_hosts",
  hostKey: "ssh-ed25519 AAAA"
}

it.live("ssh-config --write names the option of ssh where HOME is not the home directory of the account", () =>
  Effect.gen(function*() {
    const home = yield* Effect.acquireRelease(
      Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-home-"))),
      (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true }))
    )
    let err = ""
    const pyro = { workspace: { ssh: { config: () => Effect.succeed(config) } } }
    const write = sshViews["workspace.ssh.config"].perform(pyro as never, { workspace: "fix" }).pipe(
      Effect.provideService(OutputOptions, { quiet: false, switches: new Set(["write", "yes"]) }),
      Effect.provideService(Terminal, {
        stdinIsTerminal: false,
        stdinIsNull: false,
        hasUnreadStdin: Effect.succeed(false),
        stdoutIsTerminal: false,
        stderrIsTerminal: false,
        outputsAreOne: false,
        colour: false,
        writeStdout: () => Effect.void,
        writeStderr: (text) => Effect.sync(() => void (err += String(text))),
        stdin: Stream.empty,
        size: Effect.succeed({ rows: 50, cols: 80 }),
        resizes: Stream.empty,
        interceptSignal: Effect.succeed(Effect.never),
        raw: Effect.void,
        guard: Effect.succeed(() => {}),
        readFile: () => Effect.die("no files"),
        openFile: () => Effect.die("no files"),
        resolvePath: (file) => file,
        variable: (name) => name === "HOME" ? home : undefined,
        workspace: undefined,
        type: "xterm"
      })
    )
    const said = `pyro: warning: HOME is ${home}, but OpenSSH reads ${os.userInfo().homedir}/.ssh. ` +
      `Its clients need -F ${home}/.ssh/config\npyro: ready. Use it: ssh -F ${home}/.ssh/config pyro-fix\n`
    assert.strictEqual((yield* write).status, 0)
    assert.strictEqual(err, said)
    // Also where the entry is there already.
    yield* write
    assert.strictEqual(err, said + said)
  }))
