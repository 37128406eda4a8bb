import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"

let pyro: ReturnType<typeof installation>

beforeAll(() => {
  pyro = installation("pyro-commit-")
})

afterAll(async () => {
  await pyro.close()
})

const small = ["--mem-mib", "256", "--disk-mib", "512"] as const
const good = async (args: ReadonlyArray<string>) => {
  const { code, stderr, stdout } = await pyro.call(args)
  assert.strictEqual(code, 0, `${args.join(" ")}: ${stderr}`)
  return stdout.toString()
}

// test/images/commit.test.ts has what is refused, and workspaces that do not run.
describe("an environment of a workspace", { concurrent: false }, () => {
  it("has the root and /workspace of a running Debian, its variables, and nothing of the run", async () => {
    await good(["create", "debian:13-base", "--name", "deb", "--env", "WORD=kept", ...small])
    const change =
      "echo new >/etc/new; rm /etc/issue; rm -r /etc/default; mkdir /etc/default; echo only >/etc/default/only; " +
      "ln /etc/new /etc/again; chown 12:34 /etc/new; chmod 4711 /etc/new; mknod /dev-null c 1 3; " +
      "echo run >/tmp/run; echo work >/workspace/file"
    await good(["exec", "deb", "--", "sh", "-c", change])
    await good(["commit", "deb", "committed", "--workspace-as", "/srv/app"])
    const look =
      "cat /etc/again /srv/app/file /etc/default/*; stat -c '%a %u:%g %h' /etc/new; stat -c '%F %t,%T' /dev-null; " +
      "ls -A /etc/issue /tmp /workspace /etc/default 2>&1; echo \"$WORD\"; ls /lib/modules | wc -l"
    assert.strictEqual(
      await good(["run", "committed", "--mem-mib", "256", "--", "sh", "-c", look]),
      [
        "new",
        "work",
        "only",
        "4711 12:34 2",
        "character special file 1,3",
        "ls: cannot access '/etc/issue': No such file or directory",
        "/etc/default:",
        "only",
        "",
        "/tmp:",
        "",
        "/workspace:",
        "kept",
        "1",
        ""
      ].join("\n")
    )
    const { environments } = await pyro.json<{ readonly environments: ReadonlyArray<Record<string, unknown>> }>([
      "env",
      "list"
    ])
    assert.deepInclude(environments.find(({ name }) => name === "committed"), { origin: "own", from: "debian:13-base" })
    assert.strictEqual((await good(["exec", "deb", "--", "cat", "/tmp/run"])).trim(), "run")
    await good(["delete", "deb"])
  })
})
