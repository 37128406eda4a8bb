import { expectAll } from "./expect.mjs"

/** The packed file in the user's home. */
export const PACKAGE = "pyro.tgz"

/** As docs/install.md says it. */
export const install = `npm config set prefix ~/.local && npm install --global ./${PACKAGE}`

export const installs = async (perform) =>
  expectAll(await perform(install), [
    ["status 0", ({ status }) => status === 0],
    ["one package", ({ stdout }) => /^added 1 package in/m.test(stdout)]
  ])

const version = /^pyro \d+\.\d+\.\d+ \(build [0-9a-f]{8}\)$/m

/** What a login finds. */
export const installed = async (perform) =>
  expectAll(
    await perform(`command -v pyro; pyro --version; man pyro | col -b
for one in cc gcc clang make; do command -v $one && echo "a compiler: $one"; done; true`),
    [
      ["pyro in ~/.local/bin", ({ stdout }) => stdout.startsWith("/home/dev/.local/bin/pyro\n")],
      ["its version", ({ stdout }) => version.test(stdout)],
      ["its manual page", ({ stdout }) => /^PYRO\(1\)/m.test(stdout) && /^ +pyro run debian:12/m.test(stdout)],
      ["no compiler", ({ stdout }) => !stdout.includes("a compiler: ")]
    ]
  )

/** The package without an installation. */
export const npx = async (perform) =>
  expectAll(await perform(`npx --yes --offline ./${PACKAGE} --version`), [
    ["its version", ({ stdout }) => version.test(stdout)]
  ])

const request = (id, method, params) => JSON.stringify({ jsonrpc: "2.0", id, method, params })
const hello = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "lab", version: "1" } }
const messages = [
  request(1, "initialize", hello),
  JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" }),
  request(2, "tools/list", {})
]

/** A workspace lives between two commands, and an agent host sees the tools. Leaves no process. */
export const lasting = async (perform, environment) =>
  expectAll(
    await perform(`pyro workspace create ${environment} --name lab --quiet
pyro workspace exec lab -- sh -c 'echo kept >note; uname -r'
pyro workspace exec lab -- cat note
coproc pyro mcp serve
printf '%s\\n' ${messages.map((one) => `'${one}'`).join(" ")} >&"\${COPROC[1]}"
while read -r line; do echo "$line"; [[ $line == *'"id":2}' ]] && break; done <&"\${COPROC[0]}"
pyro workspace delete lab --quiet
pyro daemon stop`),
    [
      ["status 0", ({ status }) => status === 0],
      ["the guest's kernel", ({ stdout }) => /^\d+\.\d+\.\S+-cloud-amd64$/m.test(stdout)],
      ["the file of the first command", ({ stdout }) => /^kept$/m.test(stdout)],
      ["serverInfo", ({ stdout }) => answer(stdout, 1)?.serverInfo.name === "pyro"],
      ["tools", ({ stdout }) => answer(stdout, 2)?.tools.some(({ name }) => name === "workspace_exec")]
    ]
  )

const answer = (stdout, id) =>
  stdout.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line)).find((one) => one.id === id)
    ?.result

/** The section "Removal" of docs/install.md. The tests of other checks leave a token of vitest. */
export const removed = async (perform) =>
  expectAll(
    await perform(`pyro workspace delete --all; pyro daemon stop; npm uninstall -g pyro
rm -f ~/.local/bin/firecracker
rm -rf ~/.cache/pyro ~/.local/state/pyro; rmdir /dev/shm/pyro-"$(id -u)"-*
hash -r; command -v pyro
echo "left:" $(find ~/.local /dev/shm -path ~/.local/share/vitest -prune -o -not -type d -print) $(find ~ \\( -path ~/pyro -o -path ~/.npm -o -path ~/${PACKAGE} \\) -prune -o -name '*pyro*' -print)`),
    [
      ["npm removed one package", ({ stdout }) => /^removed 1 package in/m.test(stdout)],
      ["nothing", ({ stdout }) => /^left:\s*$/m.test(stdout)]
    ]
  )
