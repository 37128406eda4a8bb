import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { entryText, type ProxyProgram } from "../../../../../src/lib/ssh/client-entry.ts"

const config = {
  id: "ws-0123456789",
  name: "fix",
  host: "pyro-fix",
  user: "agent",
  cwd: "/workspace",
  identityFile: "/state/ssh/client",
  knownHostsFile: "/state/ssh/known_hosts",
  hostKey: "ssh-ed25519 AAAA"
}
const program: ProxyProgram = { argv: ["/usr/bin/node", "/opt/pyro.js"], variables: [] }

const written = (given: Partial<typeof config> = {}, by: ProxyProgram = program) =>
  Result.getOrThrow(entryText({ ...config, ...given }, by))

/** What OpenSSH makes of an entry. */
const readByOpenSsh = (entry: string, host = "pyro-fix") => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-entry-"))
  try {
    fs.writeFileSync(path.join(folder, "config"), entry)
    const text = execFileSync("ssh", ["-G", "-F", path.join(folder, "config"), host], { encoding: "utf8" })
    return new Map(text.split("\n").map((line) => [line.split(" ")[0]!, line.slice(line.indexOf(" ") + 1)]))
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}

describe("the entry of a workspace for ssh", () => {
  it("OpenSSH takes one key, one server, and lends nothing", () => {
    const options = readByOpenSsh(written())
    const expected = {
      user: "agent",
      hostkeyalias: "ws-0123456789",
      identityfile: "/state/ssh/client",
      identitiesonly: "yes",
      identityagent: "none",
      userknownhostsfile: "/state/ssh/known_hosts",
      globalknownhostsfile: "/dev/null",
      stricthostkeychecking: "true",
      forwardagent: "no",
      forwardx11: "no",
      proxycommand: "/usr/bin/node /opt/pyro.js workspace ssh-proxy ws-0123456789"
    }
    for (const [name, value] of Object.entries(expected)) assert.strictEqual(options.get(name), value, name)
    assert.notStrictEqual(readByOpenSsh(written(), "another").get("user"), "agent")
  })

  it("paths with blanks, quotes of a shell and percent signs reach the shell as they are", () => {
    const odd = "/a b/it's 100%h $HOME `x`;*"
    const options = readByOpenSsh(
      written(
        { identityFile: "/a b/100%h/client", knownHostsFile: "/a b/100%h/known" },
        { argv: [odd, "pyro"], variables: [["PYRO_STATE_DIR", odd]] }
      )
    )
    // ssh -G shows the values before the tokens are replaced.
    assert.strictEqual(options.get("identityfile"), "/a b/100%%h/client")
    const line = options.get("proxycommand")!.replaceAll("%%", "%")
    const words = execFileSync("sh", ["-c", `for word in ${line}; do printf '%s\\n' "$word"; done`], {
      encoding: "utf8"
    })
    assert.deepStrictEqual(words.trim().split("\n"), [
      "env",
      `PYRO_STATE_DIR=${odd}`,
      odd,
      "pyro",
      "workspace",
      "ssh-proxy",
      "ws-0123456789"
    ])
  })

  it("paths with blanks and quotes reach a client that has no shell, and knows double quotes alone", () => {
    const odd = "/a b/it's"
    const line = readByOpenSsh(written({}, { argv: [odd, "pyro"], variables: [["PYRO_STATE_DIR", odd]] })).get(
      "proxycommand"
    )!
    const words = line.match(/"[^"]*"|[^\s"]+/g)!.map((word) => word.replaceAll("\"", ""))
    assert.deepStrictEqual(words, [
      "env",
      `PYRO_STATE_DIR=${odd}`,
      odd,
      "pyro",
      "workspace",
      "ssh-proxy",
      "ws-0123456789"
    ])
  })

  it("a path that ssh_config cannot carry is refused with the way out", () => {
    for (const identityFile of ["/a\"b", "/a\\b", "/a\nHost *", "/${HOME}/x"]) {
      const failure = Result.getOrThrow(Result.flip(entryText({ ...config, identityFile }, program)))
      assert.include(failure.detail, "PYRO_STATE_DIR")
    }
    assert.isTrue(Result.isFailure(entryText(config, { argv: ["/a\nb"], variables: [] })))
  })
})
