import { build } from "esbuild"
import { execFileSync } from "node:child_process"
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { basename, dirname, join, relative, resolve } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { dropOld, pageFiles } from "../apps/web/build.mjs"
import { agentPlugin } from "./build/agent-plugin.mjs"
import { demandAscii } from "./build/ascii.mjs"
import { builtins } from "./build/builtins.mjs"
import { bundled } from "./build/bundle.mjs"
import { dialProgram } from "./build/dial-program.mjs"
import { dropEarlier } from "./build/earlier.mjs"
import { buildEarlyParts } from "./build/early.mjs"
import { hashed } from "./build/hashed.mjs"
import { imageProgram } from "./build/image-program.mjs"
import { sourceUrls } from "./build/source-urls.mjs"
import { longPackets } from "./build/ssh-packets.mjs"
import { unused } from "./build/unused.mjs"

const root = dirname(dirname(fileURLToPath(import.meta.url)))

const { values } = parseArgs({
  options: {
    /** Folder that gets `pyro.js` and its bundle. */
    outdir: { type: "string", default: join(root, "dist") },
    /** Module to take the place of src/daemon/layer.ts: tests of the CLI bring their own. */
    local: { type: "string" }
  }
})

const otherLocal = {
  name: "other-local",
  setup: ({ onEnd, onResolve }) => {
    const importers = new Set()
    onResolve({ filter: /\/layer\.ts$/ }, ({ importer, path, resolveDir }) => {
      if (resolve(resolveDir, path) !== join(root, "src/daemon/layer.ts")) return undefined
      importers.add(importer)
      return values.local === undefined ? undefined : { path: resolve(values.local) }
    })
    // The module has another address, and the tests of the CLI would ask a real daemon.
    onEnd(({ errors }) =>
      errors.length > 0 || importers.size === 2
        ? {}
        : { errors: [{ text: "the CLI and the daemon are not the ones that import daemon/layer.ts" }] }
    )
  }
}

/** Bundles a part that only some processes load. */
const bundlePart = async (name, input) => {
  const { contents } = await bundled(input)
  return { name: hashed(name, contents), contents }
}

/** The MCP SDK in a separate file: it is as large as all the rest, and only `pyro mcp serve` reads it. */
const { contents: mcpSdk, name: mcpSdkName } = await bundlePart("mcp-sdk", {
  stdin: {
    contents: `
      export { CLIENT_INFO_META_KEY, parseJSONRPCMessage, ProtocolError, ProtocolErrorCode, Server, SUPPORTED_PROTOCOL_VERSIONS } from "@modelcontextprotocol/server"
      export { serveStdio } from "@modelcontextprotocol/server/stdio"`,
    resolveDir: root
  }
})

/** The OTLP exporter in a separate file, which a daemon reads only if OTEL_EXPORTER_OTLP_ENDPOINT is set. */
const { contents: otlp, name: otlpName } = await bundlePart("otlp", {
  entryPoints: [join(root, "src/daemon/otlp/exporter.ts")]
})

/** The terminal emulator in a separate file, which a process reads with its first rendering of a shell. */
const { contents: xterm, name: xtermName } = await bundlePart("xterm", {
  entryPoints: [join(root, "src/lib/terminal/emulator/xterm.ts")]
})

/** The page's HTTP server in a separate file, which a daemon reads with `pyro ui`: it is the only part that has WebSockets. */
const { contents: pageServer, name: pageServerName } = await bundlePart("page-server", {
  entryPoints: [join(root, "src/daemon/page/page-listener.ts")],
  plugins: []
})

/** The client's WebSockets in a separate file, which a process reads with its first context of wss://. */
const { contents: doorLine, name: doorLineName } = await bundlePart("door-line", {
  entryPoints: [join(root, "src/remote/door/line.ts")],
  plugins: []
})

/** The server of `pyro serve --listen` in a separate file. */
const { contents: door, name: doorName } = await bundlePart("door", {
  entryPoints: [join(root, "src/serve/door/listener.ts")],
  plugins: []
})

/** The SSH protocol in a separate file, which a process reads with its first SSH connection. */
const { contents: ssh, name: sshName } = await bundlePart("ssh", {
  entryPoints: [join(root, "src/lib/ssh/server/ssh2.ts")],
  // The package asks objects for the names of their classes.
  keepNames: true,
  plugins: [unused, longPackets]
})

/** The parsers of agent hosts' configuration files in a separate file, which only `pyro host` reads. */
const { contents: parsers, name: parsersName } = await bundlePart("parsers", {
  entryPoints: [join(root, "src/agent-host/format/parsers.ts")],
  // The other form of jsonc-parser loads its parts by names that a bundle does not have.
  mainFields: ["module", "main"]
})

/** The parser of Dockerfiles in a separate file, which a process reads with its first Dockerfile. */
const { contents: dockerfile, name: dockerfileName } = await bundlePart("dockerfile", {
  entryPoints: [join(root, "src/lib/recipe/dockerfile/parser.ts")]
})

/** The parts by their modules. */
const parts = new Map([
  ["src/agent-host/format/parsers.ts", parsersName],
  ["src/daemon/otlp/exporter.ts", otlpName],
  ["src/daemon/page/page-listener.ts", pageServerName],
  ["src/lib/recipe/dockerfile/parser.ts", dockerfileName],
  ["src/remote/door/line.ts", doorLineName],
  ["src/serve/door/listener.ts", doorName],
  ["src/lib/ssh/server/ssh2.ts", sshName],
  ["src/lib/terminal/emulator/xterm.ts", xtermName]
])

const beside = {
  name: "beside",
  setup: ({ onEnd, onResolve }) => {
    const imported = new Set()
    onResolve({ filter: /^@modelcontextprotocol\/server(\/|$)/ }, () => ({ path: `./${mcpSdkName}`, external: true }))
    onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path, resolveDir }) => {
      const module = relative(root, resolve(resolveDir, path))
      const part = parts.get(module)
      if (part === undefined) return undefined
      imported.add(module)
      return { path: `./${part}`, external: true }
    })
    // The same form of the parser as above, which reads devcontainer.json.
    onResolve({ filter: /^jsonc-parser$/ }, () => ({
      path: join(root, "node_modules/jsonc-parser/lib/esm/main.js"),
      sideEffects: false
    }))
    // The module has another address, or nothing needs it. Tests with a local part of their own lack some.
    onEnd(({ errors }) => {
      const lost = [...parts.keys()].filter((module) => !imported.has(module))
      return errors.length > 0 || lost.length === 0 || values.local !== undefined
        ? {}
        : { errors: lost.map((module) => ({ text: `nothing imports ${module}, which is a part beside the program` })) }
    })
  }
}

const { errors, outputFiles, warnings } = await build({
  entryPoints: [join(root, "src/cli/main.ts")],
  outfile: "main.cjs",
  bundle: true,
  minify: true,
  platform: "node",
  target: "node20",
  // One script for vm.Script: dynamically imported parts stay unevaluated until their first use.
  format: "cjs",
  supported: { "dynamic-import": false },
  banner: { js: "(function(module,exports,require,__filename,__dirname,__root){" },
  footer: { js: "})" },
  sourcemap: "external",
  legalComments: "none",
  logLevel: "warning",
  plugins: [
    otherLocal,
    unused,
    builtins,
    beside,
    sourceUrls(root)
  ],
  write: false
})
if (errors.length + warnings.length > 0) process.exit(1)

const content = (ending) => outputFiles.find(({ path }) => path.endsWith(ending)).contents
const bundle = content(".cjs")
demandAscii(bundle)
const name = hashed("main", bundle)
const outdir = resolve(values.outdir)
const { devDependencies, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
mkdirSync(outdir, { recursive: true })
/** A pyro that starts during a build reads the old program or the new one, whole. */
const put = (file, data, mode) => {
  const unfinished = join(outdir, `.${file.replaceAll("/", "-")}.${process.pid}`)
  writeFileSync(unfinished, data)
  chmodSync(unfinished, mode)
  mkdirSync(dirname(join(outdir, file)), { recursive: true })
  renameSync(unfinished, join(outdir, file))
}
/** The page. Tests that bring their own local part have no use for it. */
const page = values.local === undefined ? await pageFiles() : []
// The page's HTML follows the files that it names.
for (const { contents, name } of page) put(`web/${name}`, contents, 0o644)
for (const [file, text] of agentPlugin(root)) put(`agent-plugin/${file}`, text, 0o644)
put("package.json", `${JSON.stringify({ type: "commonjs" })}\n`, 0o644)
put(mcpSdkName, mcpSdk, 0o644)
put(otlpName, otlp, 0o644)
put(xtermName, xterm, 0o644)
put(pageServerName, pageServer, 0o644)
put(parsersName, parsers, 0o644)
put(dockerfileName, dockerfile, 0o644)
put(sshName, ssh, 0o644)
put(doorLineName, doorLine, 0o644)
put(doorName, door, 0o644)
/** The program of the network's processes in a separate file, which a daemon reads once, when it starts. */
put("dial.cjs", await dialProgram(root), 0o644)
put("image.pyz", imageProgram(root), 0o644)
put(name, bundle, 0o644)
put(`${name}.map`, content(".map"), 0o644)

const { aliases, answers, answersName, handshake, quickExec } = await buildEarlyParts({
  root,
  version,
  bundle: join(outdir, name)
})
put(answersName, answers, 0o644)
const handshakeName = hashed("mcp-handshake", handshake)
put(handshakeName, handshake, 0o644)
const quickExecName = hashed("quick-exec", quickExec)
put(quickExecName, quickExec, 0o644)

const entry = readFileSync(join(root, "scripts/build/entry.cjs"), "utf8")
  .replace("__VERSION__", version)
  .replace(
    "__PARTS__",
    JSON.stringify({
      build: /-([0-9a-f]{8})/.exec(name)[1],
      guestAgent: execFileSync("make", ["--silent", "-C", join(root, "guest-agent"), "build-id"], { encoding: "utf8" })
        .trim(),
      effect: devDependencies.effect,
      mcpSdk: devDependencies["@modelcontextprotocol/server"]
    })
  )
  .replace("__ALIASES__", JSON.stringify(aliases))
  .replace("__BUNDLE__", name)
  .replace("__HANDSHAKE__", handshakeName)
  .replace("__QUICK_EXEC__", quickExecName)
  .replace("__ROOT__", relative(outdir, root))
put("pyro.js", entry, 0o755)

dropEarlier(outdir)

// Open pages load their parts late, so the files of the build before stay, too.
if (page.length > 0) dropOld(join(outdir, "web/assets"), new Set(page.map(({ name }) => basename(name))))
