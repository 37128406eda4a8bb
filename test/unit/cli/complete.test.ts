import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import { complete } from "../../../src/cli/help/complete.ts"

/** Entries of directories in the guest of `fix`, with names that a hostile guest chose. */
const GUEST: Readonly<Record<string, ReadonlyArray<string>>> = {
  ".": ["src/", "setup.py", ".git/", "--overwrite", "~root", "it's", "\u001b[31mred", "two\nlines", "\u202efdp.exe"],
  "src/": ["main.py", "deep/", "$(touch pwned)", "-x", "a b"],
  "/etc/": ["passwd"]
}

const names = {
  workspaces: Effect.succeed(["fix", "flaky", "parser"]),
  workspaceIds: Effect.succeed(["ws-0123456789", "ws-0a23456789"]),
  commands: (workspace: string) => Effect.succeed(workspace === "fix" ? ["4f0c6a1e9b7d42c58f3e6a7b8c9d0e1f"] : []),
  snapshots: (workspace: string) => Effect.succeed(workspace === "fix" ? ["green", "red"] : []),
  saved: Effect.succeed(["installed", "warm"]),
  environments: Effect.succeed(["debian:12", "debian:13"]),
  services: (workspace: string) => Effect.succeed(workspace === "fix" ? ["api", "web"] : []),
  guestFiles: (workspace: string, directory: string) =>
    Effect.succeed(workspace === "fix" ? GUEST[directory] ?? [] : []),
  files: (prefix: string) => Effect.succeed(["fixtures/", "notes.md"].filter((name) => name.startsWith(prefix))),
  contexts: Effect.succeed(["bench", "lab", "local"]),
  isElsewhere: (context: string | undefined) => Effect.succeed(context !== undefined && context !== "local")
}
/** Candidates for the last word of a line, which begins with `pyro`. */
const at = (line: string) => Effect.runSync(complete(line.split(" ").slice(1), names))

describe("completion", () => {
  it.each([
    ["pyro e", ["env", "exec", "export"]],
    ["pyro w", ["workspace", "ws"]],
    ["pyro sna", ["snapshot"]],
    ["pyro snapshot ", ["create", "delete", "list", "save"]],
    ["pyro saved ", ["delete", "export", "import", "inspect", "list"]],
    ["pyro network ", ["lists", "log", "set"]],
    ["pyro exec fix ls --", []],
    ["pyro exec fix --cw", ["--cwd"]],
    ["pyro env r", ["rm"]],
    ["pyro workspace fi", ["file"]],
    [
      "pyro workspace file ",
      [
        "chmod",
        "copy",
        "download",
        "edit",
        "list",
        "mkdir",
        "read",
        "remove",
        "rename",
        "stat",
        "upload",
        "watch",
        "write"
      ]
    ],
    ["pyro help wor", ["workspace"]],
    ["pyro completion ", ["bash", "fish", "zsh"]],
    ["pyro nonsense ", []]
  ])("completion offers commands: %s", (line, candidates) => {
    assert.deepStrictEqual(at(line), candidates)
  })

  it.each([
    ["pyro workspace exec f", ["fix", "flaky"]],
    ["pyro workspace exec --cwd /x f", ["fix", "flaky"]],
    ["pyro workspace exec fix ", []],
    ["pyro saved inspect w", ["warm"]],
    ["pyro saved delete warm ", []],
    ["pyro create --from-snapshot ", ["installed", "warm"]],
    ["pyro snapshot save fix ", []],
    ["pyro workspace delete fix ", ["flaky", "parser"]],
    ["pyro workspace file read p", ["parser"]],
    ["pyro workspace file read parser p", []],
    ["pyro workspace compare fl", ["flaky"]],
    ["pyro ws reset f", ["fix", "flaky"]],
    ["pyro rm fix f", ["flaky"]],
    ["pyro env rm debian:12 ", ["debian:13"]],
    ["pyro prepare ", ["debian:12", "debian:13"]],
    ["pyro exec f", ["fix", "flaky"]],
    ["pyro cp ", ["fix:", "fixtures/", "flaky:", "notes.md", "parser:"]],
    ["pyro cp fix", ["fix:", "fixtures/"]],
    ["pyro cp notes.md fl", ["flaky:"]],
    ["pyro cp notes.md ws-01", ["ws-0123456789:"]],
    // The shell offers files.
    ["pyro cp no", []],
    ["pyro cp fix:no", []],
    ["pyro cp fix:s", ["fix:setup.py", "fix:src/"]],
    ["pyro cp notes.md fix:src/m", ["fix:src/main.py"]],
    ["pyro service stop fix ", ["api", "web"]],
    ["pyro service logs fix w", ["web"]],
    ["pyro service logs flaky ", []],
    ["pyro service start fix ", []],
    ["pyro file read fix s", ["setup.py", "src/"]],
    ["pyro file read fix ", ["it's", "setup.py", "src/"]],
    ["pyro file read fix .", [".git/"]],
    ["pyro file read fix src/", ["src/$(touch pwned)", "src/-x", "src/a b", "src/deep/", "src/main.py"]],
    ["pyro file read fix /etc/p", ["/etc/passwd"]],
    ["pyro file list flaky s", []],
    ["pyro export fix src/m", ["src/main.py"]],
    ["pyro export fix setup.py src/d", ["src/deep/"]],
    ["pyro file rename fix setup.py src/m", ["src/main.py"]],
    ["pyro diff fix se", ["setup.py"]],
    ["pyro cp ./no", []],
    ["pyro cp notes.md fix: ", []],
    ["pyro snapshot rm fix ", ["green", "red"]],
    ["pyro ws snapshot rm fix ", ["green", "red"]],
    ["pyro workspace status ws-01", ["ws-0123456789"]],
    ["pyro workspace delete ws-", ["ws-0123456789", "ws-0a23456789"]],
    ["pyro workspace cancel fix ", ["4f0c6a1e9b7d42c58f3e6a7b8c9d0e1f"]],
    ["pyro workspace cancel flaky ", []],
    ["pyro workspace logs fix --exec-id 4", ["4f0c6a1e9b7d42c58f3e6a7b8c9d0e1f"]],
    ["pyro workspace logs fix ", ["4f0c6a1e9b7d42c58f3e6a7b8c9d0e1f"]],
    ["pyro workspace logs f", ["fix", "flaky"]],
    ["pyro workspace exec -w /x f", ["fix", "flaky"]],
    ["pyro workspace compare fix@", ["fix@green", "fix@red"]],
    ["pyro workspace compare fix fix@g", ["fix@green"]],
    ["pyro workspace compare flaky@", []],
    ["pyro workspace compare fix flaky p", []],
    ["pyro workspace reset fix --snapshot ", ["green", "red"]],
    ["pyro workspace fork --count 2 fix --snapshot g", ["green"]],
    ["pyro workspace reset --snapshot ", []],
    ["pyro workspace snapshot delete fix ", ["green", "red"]],
    ["pyro workspace snapshot delete flaky ", []],
    ["pyro workspace snapshot delete fix red g", []],
    ["pyro workspace snapshot create fix ", []],
    ["pyro run d", ["debian:12", "debian:13"]],
    ["pyro workspace create debian:", ["debian:12", "debian:13"]]
  ])("completion offers names: %s", (line, candidates) => {
    assert.deepStrictEqual(at(line), candidates)
  })

  it.each([
    ["pyro workspace list --", ["--context", "--help", "--id-only", "--json", "--label", "--quiet"]],
    ["pyro workspace list --json --j", []],
    ["pyro workspace list --label a=1 --la", ["--label"]],
    ["pyro workspace create --git ", ["full", "none", "shallow"]],
    ["pyro workspace create --git s", ["shallow"]],
    ["pyro workspace create --name ", []],
    ["pyro workspace create --id", ["--id-only"]]
  ])("completion offers flags and their choices: %s", (line, candidates) => {
    assert.deepStrictEqual(at(line), candidates)
  })

  it("completion offers nothing after --", () => {
    assert.deepStrictEqual(at("pyro run debian:12 -- f"), [])
  })

  it.each([
    ["pyro --con", ["--context"]],
    ["pyro --context ", ["bench", "lab", "local"]],
    ["pyro --context b", ["bench"]],
    ["pyro --context=l", ["--context=lab", "--context=local"]],
    ["pyro exec --context ", ["bench", "lab", "local"]],
    ["pyro exec fix --context la", ["lab"]],
    ["pyro exec fix --context=la", ["--context=lab"]],
    ["pyro context use ", ["bench", "lab", "local"]],
    ["pyro context remove b", ["bench"]],
    ["pyro context show ", ["bench", "lab", "local"]],
    ["pyro context use bench ", []],
    ["pyro context add ", []],
    ["pyro exec fix cat --context ", []]
  ])("completion offers contexts: %s", (line, candidates) => {
    assert.deepStrictEqual(at(line), candidates)
  })

  it.each([
    ["pyro --context bench exec ", []],
    ["pyro exec --context=bench ", []],
    ["pyro --context bench delete ws-", []],
    ["pyro --context=bench reset fix --snapshot ", []],
    ["pyro --context bench logs fix --exec-id ", []],
    ["pyro --context bench run deb", []],
    ["pyro --context bench file read fix /etc/", []],
    ["pyro --context bench cp f", []],
    ["pyro --context bench service logs fix ", []],
    ["pyro --context bench snapshot cr", ["create"]],
    ["pyro --context bench create --git f", ["full"]],
    ["pyro --context local exec ", ["fix", "flaky", "parser"]]
  ])("completion offers no name of this machine for another one: %s", (line, candidates) => {
    assert.deepStrictEqual(at(line), candidates)
  })
})
