import { Effect, Result } from "effect"
import { assert, describe, it } from "vitest"
import { route, splitArgv } from "../../../src/cli/arguments/argv.ts"
import { decode, parse } from "../../../src/cli/arguments/parser.ts"
import { operations } from "../../../src/contract/rows/operations.ts"
import { ODD_NAMES } from "../../support/odd-names.ts"
import { on } from "./on.ts"
import { pyroWords } from "./shell-words.ts"

/** What is read from a command line where `mine` is the default workspace. */
const read = (...words: ReadonlyArray<string>) => {
  const { own, rest } = splitArgv(words)
  const routed = route(own)
  if (routed._tag !== "Operation") throw new Error(`no operation: ${JSON.stringify(routed)}`)
  return Result.merge(Effect.runSync(Effect.result(parse(routed.operation, routed.words, rest, { workspace: "mine" }))))
}

/** A command line as a payload's JSON side, or what is said against it. */
const typed = (...words: ReadonlyArray<string>) => {
  const { own, rest } = splitArgv(words)
  const routed = route(own)
  if (routed._tag !== "Operation") throw new Error(`no operation: ${JSON.stringify(routed)}`)
  return parse(routed.operation, routed.words, rest).pipe(
    // `candidates` is filled from files, which the parser does not read.
    Effect.map((all) =>
      routed.operation.name === "workspace.try"
        ? { ...all, raw: { ...all.raw, candidates: [{ command: "true" }] } }
        : all
    ),
    Effect.tap(({ raw }) => decode(routed.operation.cli, routed.operation.payload(), raw)),
    Effect.match({
      onFailure: (error): { readonly wrong: string } | { readonly json: boolean; readonly raw: object } => ({
        wrong: error.message
      }),
      onSuccess: ({ json, raw }) => ({ json, raw })
    }),
    Effect.runSync
  )
}

const AFTER = "what begins with a dash and is no option goes after --"

describe("the parser", () => {
  it("create and update have docker's letters for variables and the directory", () => {
    for (const words of [["create"], ["update", "fix"]]) {
      const { raw } = typed("workspace", ...words, "-e", "A=1", "-e", "B=2", "-w", "src") as { readonly raw: object }
      assert.deepInclude(JSON.parse(JSON.stringify(raw)), { env: { A: "1", B: "2" }, cwd: "src" })
    }
  })

  it("a flag with a name of its own is accepted by the name of its field, too", () => {
    const create = (...words: ReadonlyArray<string>) => typed("workspace", "create", ...words)
    assert.deepInclude(create("--memory-mib", "2048", "--label", "a=b"), {
      raw: { memory_mib: 2048, labels: { a: "b" } }
    })
    assert.deepInclude(create("--mem-mib=2048"), { raw: { memory_mib: 2048 } })
    assert.deepEqual(create("--memory-mib", "1", "--mem-mib", "2"), { wrong: "--mem-mib is given twice" })
    assert.deepEqual(create("--memory-mib"), { wrong: "--memory-mib needs a value" })
    assert.deepEqual(create("--memory-mib", "much"), {
      wrong: "--memory-mib: \"much\" must be MiB, or a number with M, G or T, such as 2G"
    })
  })

  it("an error about a value names the option as it was typed", async () => {
    const tooLittle = "must be a whole number from 128 to 1048576 MiB"
    for (const option of ["--memory-mib", "--mem-mib"]) {
      for (const argv of [["create", option, "5"], ["run", "debian:12", `${option}=5`, "--", "true"]]) {
        const { journal, status } = await on(argv)
        assert.deepStrictEqual([status, journal[0]?.split("\n")[0]], [2, `err pyro: ${option}: ${tooLittle}`])
      }
    }
  })

  it("a guest's command needs no dashes after an option with the name of its field", async () => {
    const { requests } = await on(["run", "--memory-mib", "512", "debian:12", "ls", "-l"])
    assert.deepInclude(requests[0], { memoryMib: 512, command: ["ls", "-l"] })
  })

  it("the parser reads 100,000 repetitions of an option within the deadline", () => {
    const numbers = Array.from({ length: 100_000 }, (_, at) => String(at))
    const run = operations.find(({ name }) => name === "run")!
    const words = ["debian:12", "--json", ...numbers.flatMap((at) => ["--env", `A${at}=${at}`])]
    const { raw } = Effect.runSync(parse(run, words, ["env"]))
    assert.deepStrictEqual(Object.values(raw["env"] as Record<string, string>), numbers)
  })

  it("the parser reads flags on both sides of a thousand words", () => {
    const pairs = Array.from({ length: 499 }, (_, at) => ["--env", `A${at}=${at}`]).flat()
    for (const around of [["--cwd", "/x", "-it"], ["-it", "--cwd", "/x"], ["--cwd=/x", "-it"]]) {
      const { extras, raw } = Effect.runSync(
        parse(operations.find(({ name }) => name === "workspace.exec")!, ["fix", ...pairs, ...around], ["env"])
      )
      assert.strictEqual(raw["cwd"], "/x")
      assert.strictEqual(Object.keys(raw["env"] as object).length, 499)
      assert.include({ ...raw, ...extras }, { tty: true })
    }
  })

  it("the parser keeps names such as __proto__ and constructor", () => {
    const { raw } = typed("run", "debian:12", ...ODD_NAMES.flatMap((name) => ["--env", `${name}=x`]), "--", "env") as {
      readonly raw: { readonly env: Readonly<Record<string, string>> }
    }
    assert.deepStrictEqual(Object.entries(raw.env), ODD_NAMES.map((name) => [name, "x"]))
  })

  it("the parser reads every kind of flag at any position", () => {
    assert.deepStrictEqual(
      typed(
        "run",
        "--mem-mib",
        "512",
        "debian:12",
        "--env",
        "A=1",
        "--env=B=x=y",
        "--tty",
        "--timeout-seconds=1.5",
        "--",
        "ls",
        "-l"
      ),
      {
        json: false,
        raw: {
          environment: "debian:12",
          memory_mib: 512,
          env: { A: "1", B: "x=y" },
          tty: true,
          timeout_seconds: 1.5,
          command: ["ls", "-l"]
        }
      }
    )
  })

  it("the parser leaves out absent fields, so that the contract's defaults apply", () => {
    assert.deepStrictEqual(typed("run", "debian:12", "--json"), { json: true, raw: { environment: "debian:12" } })
  })

  it("the parser keeps empty values, spaces, newlines and dashes", () => {
    assert.deepStrictEqual(typed("run", "debian:12", "--env", "A=", "--env", "B= x\ny ", "--seed-path", "-odd"), {
      json: false,
      raw: { environment: "debian:12", env: { A: "", B: " x\ny " }, seed_path: "-odd" }
    })
  })

  it("the parser reads the flags without a field, and the output options", () => {
    assert.deepStrictEqual(
      read("workspace", "file", "read", "fix", "a", "--output", "-", "--overwrite", "--quiet"),
      {
        raw: { workspace: "fix", path: "a" },
        extras: { output: "-", overwrite: "true", quiet: "true" },
        json: false,
        quiet: true
      }
    )
  })

  it("the parser takes words after -- as arguments if the row has no guest command", () => {
    assert.deepStrictEqual(typed("workspace", "file", "read", "fix", "--json", "--", "-dash.txt"), {
      json: true,
      raw: { workspace: "fix", path: "-dash.txt" }
    })
    assert.deepStrictEqual(typed("workspace", "delete", "--", "a", "b"), {
      json: false,
      raw: { workspaces: ["a", "b"] }
    })
  })

  it("the parser uses the default workspace if fewer words than arguments are given", () => {
    const raw = (...words: ReadonlyArray<string>) => {
      const typed = read("workspace", ...words)
      return "raw" in typed ? typed.raw : typed
    }
    assert.deepStrictEqual(raw("status"), { workspace: "mine" })
    assert.deepStrictEqual(raw("status", "other"), { workspace: "other" })
    assert.deepStrictEqual(raw("exec", "--", "ls"), { workspace: "mine", command: ["ls"] })
    assert.deepStrictEqual(raw("file", "read", "a"), { workspace: "mine", path: "a" })
    assert.deepStrictEqual(raw("file", "read", "other", "a"), { workspace: "other", path: "a" })
    assert.deepStrictEqual(raw("export", "--patch", "--output", "-"), { workspace: "mine", patch: true, output: "-" })
    assert.deepStrictEqual(raw("export", "a", "--output", "-"), { workspace: "mine", path: "a", output: "-" })
    assert.deepStrictEqual(
      raw("export", "other", "a", "b", "c", "--exclude", "*.o", "--exclude", "d/", "--output", "-"),
      {
        workspace: "other",
        path: "a",
        paths: ["b", "c"],
        exclude: ["*.o", "d/"],
        output: "-"
      }
    )
    assert.deepStrictEqual(raw("export", "other", "src", "--patch", "--output", "-"), {
      workspace: "other",
      path: "src",
      patch: true,
      output: "-"
    })
    assert.deepStrictEqual(raw("export", "other", "--patch", "--output", "-"), {
      workspace: "other",
      patch: true,
      output: "-"
    })
    // What is deleted is always named.
    assert.deepInclude(raw("delete"), {
      field: "workspaces",
      detail: "missing; or give --all. Usage: pyro delete <workspaces>. List them: pyro list"
    })
    assert.deepStrictEqual(raw("delete", "a", "b"), { workspaces: ["a", "b"] })
    assert.deepStrictEqual(raw("delete", "--all"), { all: true })
  })

  it.each([
    [["run", "debian:12", "--mem-mib", "8"], "--mem-mib: must be a whole number from 128 to 1048576 MiB"],
    [["run", "debian:12", "--mem-mib", "1e9"], "--mem-mib: must be a whole number from 128 to 1048576 MiB"],
    [
      ["run", "debian:12", "--mem-mib", "lots"],
      "--mem-mib: \"lots\" must be MiB, or a number with M, G or T, such as 2G"
    ],
    [["run", "debian:12", "--mem-mib", ""], "--mem-mib: \"\" must be MiB, or a number with M, G or T, such as 2G"],
    [["run", "debian:12", "--vcpu-count", "0"], "--vcpu-count: must be a whole number from 1 to 32"],
    [
      ["run", "debian:12", "--timeout-seconds", "-1"],
      "--timeout-seconds: must be more than 0 and at most 604800 seconds"
    ],
    [["run", "debian:12", "--env", "A"], "--env: \"A\" must be NAME=VALUE"],
    [["run", "debian:12", "--env", "=b"], "--env: \"=b\" must be NAME=VALUE"],
    [["run", "debian:12", "--cwd", ""], "--cwd: must be a path in the guest"],
    [
      ["workspace", "create", "--git", "nope"],
      "--git: \"nope\" is none of shallow, full, none. Did you mean \"none\"?"
    ],
    [["run", ""], "<environment>: must be a name such as debian:12"],
    [["run", "debian:12", "--mem-mb", "8"], "no option --mem-mb. Did you mean --mem-mib?"],
    [["run", "debian:12", "--wizard"], "no option --wizard; the guest's command goes after --"],
    [["run", "ls", "-la", "a b"], "no option -la; the first word is the environment: pyro run debian:12 ls -la 'a b'"],
    [["run", "debian:12", "--log-level", "all"], "no option --log-level; the guest's command goes after --"],
    [["run", "debian:12", "--completions", "sh"], "no option --completions; the guest's command goes after --"],
    [["run", "debian:12", "--cwd", "/a", "--cwd", "/b"], "--cwd is given twice"],
    [["run", "debian:12", "--cwd"], "--cwd needs a value"],
    [["workspace", "export", "fix", "a", "--output"], "--output needs a value"],
    [["workspace", "list", "--label"], "--label needs a value"],
    [["workspace", "list", "--label", "a=2", "--label"], "--label needs a value"],
    [["workspace", "diff", "fix", "--path"], "--path needs a value"],
    [["--json", "workspace", "diff", "fix", "--path"], "--path needs a value"],
    [["workspace", "--label", "list", "--json"], "--label needs a value"],
    [["workspace", "update", "fix", "--label"], "--label needs a value"],
    [["workspace", "exec", "fix", "--env", "--", "env"], "--env needs a value"],
    [["workspace", "sync", "push", "fix", ".", "--include-ignored"], "--include-ignored needs a value"],
    [["run", "debian:12", "--tty=no"], "--tty takes no value"],
    [["workspace", "delete", "--al"], "no option --al"],
    [["workspace", "delete", "--al", "fix"], "no option --al"],
    [["workspace", "delete", "--ball", "fix"], "no option --ball"],
    [["workspace", "delete", "-xf", "fix"], "no option -xf"],
    [["env", "pull", "web", "--forced"], "no option --forced"],
    [["env", "pull", "web", "--fore"], "no option --fore"],
    [["env", "pull", "web", "--froce"], "no option --froce. Did you mean --force?"],
    [["run", "debian:12", "--timeout", "5"], "no option --timeout. Did you mean --timeout-seconds?"],
    [["run", "debian:12", "--timeout=5"], "no option --timeout=5. Did you mean --timeout-seconds?"],
    [["run", "debian:12", "--mem", "512"], "no option --mem. Did you mean --mem-mib?"],
    [["run", "debian:12", "-x", "--", "ls"], "no option -x"],
    [["workspace", "exec", "fix", "-x"], "no option -x; the guest's command goes after --"],
    [["workspace", "file", "edit", "fix", "a", "--old", "x"], "no option --old. Did you mean --old-text?"],
    [["workspace", "file", "edit", "fix", "a", "--new", "x"], "no option --new. Did you mean --new-text?"],
    [["workspace", "export", "fix", "a", "--max", "1"], `no option --max; ${AFTER}`],
    [["workspace", "sync", "push", "fix", "-odd"], `no option -odd; ${AFTER}`],
    [["workspace", "diff", "fix", "-p"], "no option -p"],
    [["workspace", "list", "-a"], "no option -a. The list has all workspaces, running or not"],
    [["workspace", "delete", "-x"], "no option -x"],
    [
      ["workspace", "logs", "fix", "-n"],
      "no option -n. All output of a command, or less of it: pyro logs fix ID | tail -n 20"
    ],
    [["workspace", "logs", "fix", "a", "--exec-id", "b"], "unexpected \"a\""],
    [["env", "list", "x"], "unexpected \"x\""],
    [["env", "list", "--", "x"], "unexpected \"x\""],
    [
      ["workspace", "file", "read", "fix", "-a"],
      `no option -a; ${AFTER}`
    ],
    [["workspace", "export", "fix", "a"], "--output: missing. Usage: pyro export <workspace> <path> --output …"],
    [["env", "rm"], "environments: missing. Usage: pyro env rm <environments>. List them: pyro env list"],
    [
      ["workspace", "delete"],
      "workspaces: missing; or give --all. Usage: pyro delete <workspaces>. List them: pyro list"
    ],
    [["workspace", "delete", "--all", "fix"], "unexpected \"fix\""],
    [
      ["workspace", "export", "fix", "--output", "x"],
      "path: missing; or give --patch. Usage: pyro export <workspace> <path> --output …"
    ],
    [
      ["workspace", "export", "fix", "--patch"],
      "--output: missing. Usage: pyro export <workspace> --patch --output …"
    ]
  ])("the parser refuses %j", (words, wrong) => {
    assert.deepStrictEqual(typed(...words), { wrong })
  })

  const rawOf = (line: string) => {
    const read = typed(...line.split(" "))
    return "raw" in read ? read.raw : read.wrong
  }

  it.each([
    ["run debian:12 --timeout-seconds 90 -- ls", { timeout_seconds: 90 }],
    ["run debian:12 --timeout-seconds 5s -- ls", { timeout_seconds: 5 }],
    ["run debian:12 --timeout-seconds 1.5m -- ls", { timeout_seconds: 90 }],
    ["run debian:12 --timeout-seconds 2h -- ls", { timeout_seconds: 7200 }],
    ["run debian:12 --mem-mib 2G -- ls", { memory_mib: 2048 }],
    ["run debian:12 --mem-mib 512MiB -- ls", { memory_mib: 512 }],
    ["run debian:12 --max-bytes 64k -- ls", { max_bytes: 65_536 }],
    ["workspace create --ttl-seconds 1d", { ttl_seconds: 86_400 }]
  ])("the parser converts units: %s", (line, fields) => {
    assert.deepInclude(rawOf(line), fields)
  })

  it.each([
    ["run debian:12 --timeout-seconds 5x -- ls", "must be seconds, or a number with s, m, h or d, such as 10m"],
    ["run debian:12 --timeout-seconds 10M5 -- ls", "must be seconds"],
    ["run debian:12 --mem-mib 2G2 -- ls", "must be MiB"],
    ["run debian:12 --mem-mib 1.5M -- ls", "must be a whole number from 128"],
    ["run debian:12 --vcpu-count 2G -- ls", "\"2G\" is not a number"],
    ["workspace fork fix --count 2k", "is not a number"]
  ])("the parser refuses a unit that does not fit: %s", (line, wrong) => {
    assert.include(rawOf(line), wrong)
  })

  it.each([
    ["run debian:12 -e A=1 -eB=2 -w /x -- ls", { env: { A: "1", B: "2" }, cwd: "/x" }],
    ["workspace exec fix -w/x -- ls", { cwd: "/x" }],
    ["workspace exec -tw /x fix", { tty: true, cwd: "/x", workspace: "fix" }]
  ])("the parser reads short options: %s", (line, fields) => {
    assert.deepInclude(rawOf(line), fields)
  })

  it.each([
    ["workspace export fix --apply", { workspace: "fix", apply: true }],
    ["workspace export fix --apply src -o ../copy", { workspace: "fix", apply: true, path: "src", output: "../copy" }]
  ])("the parser needs neither path nor output with --apply: %s", (line, fields) => {
    assert.deepStrictEqual<object>({ ...rawOf(line) as object }, fields)
  })

  it("the parser reads -i, also beside -t", () => {
    for (const line of ["-i", "-it", "--interactive"]) {
      const { extras } = read("workspace", "exec", "fix", line, "--", "sh") as { readonly extras?: object }
      assert.property(extras, "interactive")
    }
  })

  it("the parser refuses a short option that the command lacks", () => {
    assert.include(rawOf("workspace list -e A=1"), "no option -e")
    assert.include(rawOf("run debian:12 -x -- ls"), "no option -x")
    assert.strictEqual(rawOf("run debian:12 -e"), "--env needs a value")
  })

  it.each([
    ["env build web --from debian:12 --packages git tree", ["git", "tree"]],
    ["env build web --packages git tree --from debian:12", ["git", "tree"]],
    ["env build --from debian:12 --packages git tree web", ["git", "tree"]],
    ["env build --from debian:12 --packages git web", ["git"]],
    ["env build web --packages git,make tree --packages jq --from debian:12", ["git,make", "tree", "jq"]],
    ["env build --packages git --from debian:12 web", ["git"]]
  ])("the parser reads several packages after one option: %s", (line, packages) => {
    assert.deepInclude(rawOf(line), { name: "web", from: "debian:12", packages })
  })

  it("env rm takes several environments", () => {
    assert.deepStrictEqual(rawOf("env rm web lint"), { environments: ["web", "lint"] })
  })

  it.each(operations.flatMap((row) => row.cli.examples.map((example) => [example])))(
    "the parser accepts the example: %s",
    (example) => {
      assert.notProperty(typed(...pyroWords(example)), "wrong")
    }
  )
})

describe("paths of a comparison", () => {
  it("diff and compare take the words after their arguments as paths, beside --path", () => {
    assert.deepStrictEqual(typed("diff", "fix", "src", "a b", "--stat"), {
      json: false,
      raw: { workspace: "fix", paths: ["src", "a b"], stat: true }
    })
    assert.deepStrictEqual(typed("workspace", "diff", "fix", "--path", "docs", "src", "--", "-odd"), {
      json: false,
      raw: { workspace: "fix", paths: ["docs", "src", "-odd"] }
    })
    assert.deepStrictEqual(typed("compare", "one", "two", "src"), {
      json: false,
      raw: { from: "one", to: "two", paths: ["src"] }
    })
    assert.deepStrictEqual(typed("diff", "fix"), { json: false, raw: { workspace: "fix" } })
  })
})
