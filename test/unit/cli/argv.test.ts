import { assert, describe, it } from "vitest"
import { shortPath } from "../../../src/cli/arguments/aliases.ts"
import { route, splitArgv } from "../../../src/cli/arguments/argv.ts"
import { commands } from "../../../src/cli/rows/rows.ts"
import { ends } from "../../../src/contract/rows/operations.ts"

describe("splitting argv", () => {
  it("splitArgv cuts at the first -- and keeps later ones", () => {
    assert.deepStrictEqual(splitArgv(["run", "x", "--", "a", "--", "b"]), {
      own: ["run", "x"],
      rest: ["a", "--", "b"],
      isDashed: true
    })
  })

  it("splitArgv distinguishes an empty rest from none", () => {
    assert.deepStrictEqual(splitArgv(["run", "x", "--"]).rest, [])
    assert.isUndefined(splitArgv(["run", "x"]).rest)
  })

  it.each([
    ["run debian:12", "ls -la"],
    ["run debian:12", "ls --help"],
    ["run --tty debian:12 -e A=B", "bash -l"],
    ["run debian:12 -e=A=B --cwd", ""],
    ["run debian:12 --cwd /tmp", "ls -- --cwd x"],
    ["run --script x debian:12 --json", ""],
    ["workspace exec fix", "ls -la"],
    ["ws exec fix --cwd src", "git log --json"],
    ["exec fix -w src -e A=B", "make -j4"],
    ["w exec --timeout-seconds 5 fix", "sh -c x"],
    ["--json exec fix", "ls"],
    ["shell open fix", "python3 -q"],
    ["service start fix web --publish 8080:80", "python3 -m http.server"],
    ["agent codex --ask", "exec --full-auto x"],
    ["exec fix -", ""],
    ["create --name fix debian:12", ""],
    ["help exec fix", ""],
    ["list fix ls", ""]
  ])("the guest's command of %j begins at its first word: %j", (own, rest) => {
    const words = [own, rest].filter((one) => one !== "").join(" ").split(" ")
    assert.deepStrictEqual(splitArgv(words), {
      own: own.replace(/ -$/, "").split(" "),
      rest: own.endsWith(" -") ? ["-"] : rest === "" ? undefined : rest.split(" "),
      isDashed: false
    })
    // The same with the dashes, which are no part of the command.
    if (rest === "") return
    assert.deepStrictEqual(splitArgv([...own.split(" "), "--", ...rest.split(" ")]), {
      own: own.split(" "),
      rest: rest.split(" "),
      isDashed: true
    })
  })
})

describe("finding the operation", () => {
  const found = (...words: ReadonlyArray<string>) => {
    const routed = route(words)
    return routed._tag === "Operation" ? [routed.operation.name, ...routed.words] : routed
  }

  it("route follows the command's path and returns the other words", () => {
    assert.deepStrictEqual(found("run", "debian:12", "--tty"), ["run", "debian:12", "--tty"])
    assert.deepStrictEqual(found("env", "inspect", "debian:12"), ["env.inspect", "debian:12"])
  })

  it("route accepts flags before and between the words of the path", () => {
    assert.deepStrictEqual(found("--json", "env", "list"), ["env.list", "--json"])
    assert.deepStrictEqual(found("env", "--json", "list"), ["env.list", "--json"])
  })

  it("--help shows help for the words before it", () => {
    assert.deepStrictEqual(found(), { _tag: "Help", path: [] })
    assert.deepStrictEqual(found("env", "--help"), { _tag: "Help", path: ["env"] })
    assert.deepStrictEqual(found("run", "debian:12", "-h"), { _tag: "Help", path: ["run"] })
    assert.deepStrictEqual(found("help", "env", "rm"), { _tag: "Help", path: ["env", "rm"] })
  })

  it.each([
    ["ws", undefined],
    ["ls", "workspace.list"],
    ["ps", "workspace.list"],
    ["rm", "workspace.delete"],
    ["ws ls", "workspace.list"],
    ["workspace ps", "workspace.list"],
    ["ws rm", "workspace.delete"],
    ["ws exec", "workspace.exec"],
    ["w ls", "workspace.list"],
    ["list", "workspace.list"],
    ["create", "workspace.create"],
    ["exec", "workspace.exec"],
    ["attach", "workspace.shell.attach"],
    ["shell ls", "workspace.shell.list"],
    ["stop", "workspace.stop"],
    ["start", "workspace.start"],
    ["reset", "workspace.reset"],
    ["fork", "workspace.fork"],
    ["diff", "workspace.diff"],
    ["export", "workspace.export"],
    ["status", "workspace.status"],
    ["logs", "workspace.logs"],
    ["delete", "workspace.delete"],
    ["file read", "workspace.file.read"],
    ["snapshot rm", "workspace.snapshot.delete"],
    ["network lists", "network.lists"],
    ["network set", "workspace.network.set"],
    ["stats", "watch"],
    ["ws file ls", "workspace.file.list"],
    ["ws snapshot rm", "workspace.snapshot.delete"],
    ["env ls", "env.list"],
    ["env rm", "env.rm"]
  ])("route accepts the short form %j", (typed, operation) => {
    const routed = route(typed.split(" "))
    assert.strictEqual(routed._tag === "Operation" ? routed.operation.name : undefined, operation)
    assert.deepStrictEqual(found("ws", "--help"), { _tag: "Help", path: ["workspace"] })
  })

  const suggested = (typed: string) => {
    const routed = route(typed.split(" "))
    return routed._tag === "Wrong" ? routed.detail : routed
  }

  it.each([
    ["env lst", "pyro env list"],
    ["workspace edit", "pyro file edit"],
    ["workspace snap", "pyro snapshot"],
    ["workspace delet", "pyro delete"],
    ["workspace delte", "pyro delete"],
    ["workspace deleete", "pyro delete"],
    ["workspace sotp", "pyro stop"],
    ["workspace rseet", "pyro reset"],
    ["workspace snapshot lsit", "pyro snapshot list"],
    ["daemon stpo", "pyro daemon stop"],
    ["exce", "exec"],
    ["craete", "create"],
    ["lgos", "logs"],
    ["diffs", "diff"],
    ["snap", "snapshot"],
    ["edit", "file edit"],
    ["delte", "delete"],
    ["shell opne", "pyro shell open"],
    ["network logs", "pyro network log"],
    ["verison", "version"],
    ["env prnue", "pyro env prune"]
  ])("the unknown command %j gets the suggestion %s", (typed, near) => {
    assert.strictEqual(suggested(typed), `no command "${typed}". Did you mean "${near}"?`)
  })

  it("route stops at the first unknown word", () => {
    assert.strictEqual(suggested("envv list"), `no command "envv". Did you mean "env"?`)
  })

  it("a workspace in the place of a verb of shells gets the command that attaches to it", () => {
    assert.strictEqual(suggested("shell fix"), `no command "shell fix". Did you mean "pyro attach fix"?`)
  })

  it.each([
    ["port fix", "pyro port list fix"],
    ["service fix", "pyro service list fix"],
    ["snapshot fix", "pyro snapshot list fix"],
    ["network fix", "pyro network log fix"],
    ["workspace port fix", "pyro port list fix"]
  ])("%s, with a workspace in the place of the verb, is told the form of the group", (typed, form) => {
    assert.strictEqual(
      suggested(typed),
      `no command "${typed}". If fix is a workspace, a verb comes first, as in "${form}"`
    )
  })

  it("an option before the command is told where it stands", () => {
    assert.strictEqual(
      suggested("--env-file vars exec fix"),
      `no command "vars". If it is the value of --env-file, put both behind the command`
    )
  })

  it.each([
    ["pull", "env pull"],
    ["ssh", "attach"],
    ["inspect", "status"],
    ["push", "sync push"],
    ["unpause", "resume"],
    ["copy", "cp"],
    ["rmi", "env rm"],
    ["services", "service list"],
    ["snapshots", "snapshot list"],
    ["restart", `stop" then "start`],
    ["images", "env list"],
    ["workspace destroy", "pyro delete"],
    ["workspace kill", "pyro stop"],
    ["workspace top", "pyro top"],
    ["workspace doctor", "pyro doctor"],
    ["workspace read", "pyro file read"],
    ["workspace info", "pyro status"],
    ["workspace cat", "pyro file read"],
    ["workspace file cat", "pyro file read"],
    ["workspace mv", "pyro rename"],
    ["mv", "rename"],
    ["workspace sync pull", "pyro export"],
    ["workspace ssh", "pyro attach"],
    ["workspace run", "pyro exec"],
    ["saved destroy", "pyro saved delete"],
    ["service kill", "pyro service stop"],
    ["service rm", "pyro service stop"],
    ["port rm", "pyro port unpublish"],
    ["shell kill", "pyro shell close"],
    ["host add", "pyro host connect"],
    ["host rm", "pyro host disconnect"],
    ["env create", "pyro env build"],
    ["workspace clone", "pyro fork"],
    ["workspace log", "pyro logs"],
    ["workspace restart", `pyro stop" then "pyro start`],
    ["service restart", `pyro service stop" then "pyro service start`],
    ["env delete", "pyro env rm"],
    ["daemon kill", "pyro daemon stop"],
    ["saved info", "pyro saved inspect"],
    ["env load", "pyro env import"],
    ["service inspect", "pyro service status"],
    ["file rm", "pyro file remove"],
    ["file mv", "pyro file rename"],
    ["snapshot diff", "pyro diff"]
  ])("the foreign command %j gets the suggestion %s", (typed, own) => {
    assert.strictEqual(suggested(typed), `no command "${typed}". Did you mean "${own}"?`)
    const isThere = (words: ReadonlyArray<string>) => {
      const routed = route([...words, "--help"])
      return routed._tag === "Help" && routed.path.at(-1) === words.at(-1)
    }
    for (const one of own.split(`" then "`)) {
      const words = one.replace(/^pyro /, "").replace(/ --.*/, "").split(" ")
      assert.isTrue(isThere(words) || isThere([...typed.split(" ").slice(0, -1), ...words]), one)
    }
  })

  it("an unknown command gets no suggestion that is far away or does the opposite", () => {
    for (
      const typed of [
        "frobnicate",
        "constructor",
        "compose",
        "drop",
        "tag",
        "test",
        "workspace sync rm",
        "env kill",
        "daemon cp"
      ]
    ) {
      assert.strictEqual(suggested(typed), `no command "${typed}"`)
    }
  })

  it.each([
    "undelete",
    "top",
    "re",
    "res",
    "rest",
    "sto",
    "step",
    "strop",
    "atop",
    "d",
    "de",
    "preset",
    "resent",
    "deletion",
    ...("restore revert undo rollback recover history checkout switch fetch merge rebase stash tag add apply scale rollout " +
      "cordon drain pause unpause wait up down build compose prune-list login logout search save load trash archive " +
      "detach deploy stopped stops resets deleted deletes rests setup setop stomp store desert delegate delta select " +
      "canceled chancel sett gcc signals close-all disconnected").split(" ")
  ])(
    "the harmless word %j leads to nothing that ends something",
    (word) => {
      const paths = commands.filter(ends).flatMap(({ cli }) =>
        [cli.path, shortPath(cli.path)].map((path) => path.join(" "))
      )
      for (const front of ["", "workspace ", "workspace snapshot ", "env ", "daemon ", "host "]) {
        const detail = suggested(front + word)
        if (typeof detail !== "string") continue
        const near = /Did you mean "(?:pyro )?(.*)"/.exec(detail)?.[1]
        assert.notInclude([...paths, ...paths.map((path) => path.replace(front, ""))], near)
      }
    }
  )

  it("the restart of a daemon, which workspaces outlive, is explained", () => {
    assert.include(suggested("daemon restart"), `. "pyro daemon stop" ends the daemon, and the next command starts one`)
  })

  it.each([
    "restore",
    "undo",
    "workspace undo",
    "checkout",
    "rollback",
    "snapshot restore",
    "workspace snapshot undo"
  ])(
    "%j gets the commands that return, with the loss of the changes, and no question",
    (typed) => {
      const returns =
        `. "pyro diff NAME" shows the changes. "pyro rewind NAME" goes back to before the last command. ` +
        `"pyro reset NAME" discards all changes since create, and ` +
        `"pyro reset NAME --snapshot SNAPSHOT" all changes since the snapshot`
      assert.include(suggested(typed), returns)
      assert.notInclude(suggested(typed), "Did you mean")
      for (const command of ["diff NAME", "reset NAME", "reset NAME --snapshot SNAPSHOT"]) {
        assert.strictEqual(route(command.split(" "))._tag, "Operation")
      }
    }
  )

  it("words that return or move have the name that was typed after them, if it can be one", () => {
    for (
      const [line, hint] of [
        ["undo fix", "pyro rewind fix"],
        ["workspace rollback fix", "pyro reset fix --snapshot SNAPSHOT"],
        ["restore src/a.ts", "pyro rewind NAME"],
        ["undo --json", "pyro rewind NAME"],
        ["env push debian:12", "pyro env export debian:12 -o FILE"],
        ["env save a/b", "pyro env export NAME -o FILE"]
      ] as const
    ) assert.include(JSON.stringify(route(line.split(" "))), hint, line)
  })

  it.each([
    ["init", `"pyro up" makes the workspace`],
    ["workspace init", "A file pyro.toml says"],
    ["upgrade", `"pyro daemon stop" then replaces the daemon, and workspaces go on`],
    ["self-update", "Install the new pyro as you installed this one"],
    ["uninstall", `"pyro host disconnect HOST" removes pyro from an agent host, and npm uninstall -g pyro the program`],
    ["login", "docker login REGISTRY"],
    ["env login", "docker login REGISTRY"]
  ])("%j, which pyro has not, gets the way to the same", (typed, way) => {
    assert.include(suggested(typed), way)
    assert.notInclude(suggested(typed), "Did you mean")
  })

  it("an environment that is to move gets the commands that export and import it", () => {
    assert.include(
      suggested("env push"),
      `. An environment moves between hosts as one file: "pyro env export NAME -o FILE"`
    )
    assert.strictEqual(route(["env", "export", "NAME", "-o", "FILE"])._tag, "Operation")
    assert.strictEqual(route(["env", "import", "FILE"])._tag, "Operation")
    assert.notInclude(suggested("workspace push"), "environment")
  })

  it.each([
    ["--foo", "--foo"],
    ["-x", "-x"],
    ["env --foo", "--foo"],
    ["ws --quiet -x", "-x"],
    ["--allow-host=npm --foo=1", "--foo=1"]
  ])("an unknown option without a command names itself: %s", (typed, option) => {
    assert.strictEqual(suggested(typed), `no option ${option}`)
  })

  it("--help after a word that is no command names the word", () => {
    assert.match(String(suggested("commits --help")), /^no command "commits"/)
    assert.match(String(suggested("env commits --help")), /^no command "env commits"/)
    for (
      const typed of [
        "commits -h",
        "--help commits",
        "help commits",
        "workspace commits --help"
      ]
    ) {
      assert.match(String(suggested(typed)), /^no command "/, typed)
    }
  })

  it("options without a command keep the message that the command is missing", () => {
    assert.strictEqual(suggested("--json"), "no command before --json")
    assert.strictEqual(
      suggested("env --json"),
      `"pyro env" needs a verb: list, pull, inspect, build, import, export, rm, prune`
    )
    assert.match(String(suggested("service")), /^"pyro service" needs a verb: start, list, status, logs, stop$/)
    assert.strictEqual(suggested("--verison"), "no option --verison. Did you mean --version?")
  })

  it("cp beneath another word leads to pyro cp", () => {
    for (const typed of ["workspace file cp", "workspace sync cp"]) {
      assert.include(suggested(typed), `Did you mean "pyro cp"?`)
    }
  })
})
