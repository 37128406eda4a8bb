#!/usr/bin/env -S ;_=1\_sh\_-c\_"exec\_sh\_\"\$@\""; node --
":" // ; case "$*" in *-config-file*) for word do set -- "$@" "=$word"; shift; done; set -- __words "$@"; esac; exec node -- "$0" "$@"
"use strict"
// `pyro`: answers --version by itself; the first requests of `mcp serve` and simple forms of `workspace exec` have small files; everything
// else is one bundle, started with V8's code cache of an earlier run.
// Three readers find their way in the first line. The system's kernel starts env, which sets a variable of no use, which no shell passes on, and starts a shell with the rest: the
// words `node` and `--`, which the shell drops, this file and the words of the command. npm on Windows takes the variable for one, and its command
// starts `node --` with this file (cmd-shim 5 to 8). Its script for Git Bash has the variable behind `exec`, where the semicolons make it one more.
// A shell runs the second line, which is a string and a comment in JavaScript. Node takes --env-file from all words before the first `--`, and Node
// 22 and 24 take --experimental-config-file and --experimental-default-config-file from all words, also from those of a guest's command. A file of
// the current directory could then set NODE_OPTIONS, which runs code on the host. So the shell hides these words from Node behind a `=`.
// Windows has no such shell: there `--` keeps --env-file from Node, and nothing keeps the other two from Node 22 and newer (docs/remote.md).

const VERSION = "__VERSION__"
/** Versions of the parts that are built in. */
const PARTS = __PARTS__
/** First words that stand for others (src/cli/arguments/aliases.ts). */
const ALIASES = new Map(Object.entries(__ALIASES__))
const BUNDLE = "__BUNDLE__"
const HANDSHAKE = "__HANDSHAKE__"
const QUICK_EXEC = "__QUICK_EXEC__"
/** The package's root, from here. */
const ROOT = "__ROOT__"
const USAGE = 2
/** `engines` of package.json: npm warns, and installs nevertheless. */
const OLDEST_NODE = 20
/** src/cli/main.ts */
const DAEMON = "__daemon"
/** Age in days at which pyro removes a code cache of another bundle: the version of that bundle is probably gone. */
const STALE_DAYS = 14
/** Maximum number of code caches of other bundles. */
const KEPT_OTHERS = 16

const fs = require("node:fs")
const path = require("node:path")

const argv = process.argv[2] === "__words" ? process.argv.slice(3).map((word) => word.slice(1)) : process.argv.slice(2)
/** The same words, with the first one replaced by the words that it stands for. */
const spelledOut = ALIASES.has(argv[0]) ? [...ALIASES.get(argv[0]), ...argv.slice(1)] : argv
/** Words that may not be UTF-8: the bundle compares them with the kernel's bytes, and refuses them. */
const isPlain = !argv.some((word) => word.includes("\ufffd"))
const [first, ...more] = argv.filter((word) => word !== "--json")
if (more.length === 0 && ["--version", "-v", "version"].includes(first)) {
  print(versionText(argv.length > 1))
} else if (Number.parseInt(process.versions.node) < OLDEST_NODE) {
  process.stderr.write(
    `pyro: pyro needs Node.js ${OLDEST_NODE} or newer; this is ${process.version} (${process.execPath}). Install a newer one: docs/install.md\n`
  )
  process.exit(1)
} else {
  start().catch((error) => {
    console.error(error)
    process.exit(1)
  })
}

/** This program and the parts that it was built with. */
function versionText(isJson) {
  const { bun, deno } = process.versions
  // Both give the version of Node whose programs they run.
  const runtime = bun ? ` (Bun ${bun})` : deno ? ` (Deno ${deno})` : ""
  const node = `${process.version} ${process.platform} ${process.arch}${runtime}`
  const { build, effect, guestAgent, mcpSdk } = PARTS
  if (isJson) {
    const parts = { build, guest_agent: guestAgent, effect, mcp_sdk: mcpSdk, node }
    return JSON.stringify({ version: VERSION, ...parts }) + "\n"
  }
  return `pyro ${VERSION} (build ${build})\nguest agent ${guestAgent}\neffect ${effect}, MCP SDK ${mcpSdk}\nNode.js ${node}\n`
}

function print(text) {
  try {
    fs.writeSync(1, text)
  } catch (error) {
    if (error.code === "EAGAIN") process.stdout.write(text)
    else if (error.code !== "EPIPE") throw error
  }
}

async function start() {
  // The flags of V8 come before the code cache: a code cache is valid only for the flags that it was made with.
  // A daemon serves many small requests. With its flag, V8 collects their objects when the heap has doubled. By default, V8 waits until the
  // heap is five times the size of the objects in use.
  // Every other process runs without Maglev, V8's middle compiler. On Node 24, a process that ends while another thread compiles for the
  // process can wait for ever (nodejs/node 54918, 64274). A process of half a second gains nothing from Maglev.
  require("node:v8").setFlagsFromString(argv[0] === DAEMON ? "--heap-growing-percent=100" : "--no-maglev")
  const handshaking = handshake()
  const earlyConnection = await handshaking
  // The client has left, and all its requests are answered.
  if (handshaking !== undefined && earlyConnection === undefined) process.exit(0)
  const quick = await quickExec()
  if (quick?.status !== undefined) process.exit(quick.status)
  const vm = require("node:vm")
  const file = path.join(__dirname, BUNDLE)
  const cacheFile = codeCacheFile()
  const cachedData = readCodeCache(cacheFile)
  // The bundle is ASCII, and latin1 is read without decoding.
  const script = new vm.Script(fs.readFileSync(file, "latin1"), {
    filename: file,
    ...(cachedData ? { cachedData } : {})
  })
  const wanted = cacheFile !== undefined && (cachedData === undefined || script.cachedDataRejected)
  // V8 drops the code of functions that were not called for some time. After a long first command, the cache would lack their code.
  if (wanted) require("node:v8").setFlagsFromString("--no-flush-bytecode")
  const module = { exports: {} }
  const root = path.join(__dirname, ROOT)
  // Effect looks at the text of a stack, for which V8 counts the lines of the whole bundle.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  script.runInThisContext()(module, module.exports, require, file, __dirname, root)
  Error.stackTraceLimit = stackTraceLimit
  const status = await module.exports.main(argv, VERSION, BUNDLE, {
    earlyConnection,
    pendingTool: pendingTool(),
    started: quick?.started
  })
  // Written last, so that it also holds the functions that V8 compiled on the way.
  if (wanted && status !== USAGE) writeCodeCache(cacheFile, script)
  process.exit(status)
}

/** Starts the handshake of `pyro mcp serve` (src/mcp/handshake/handshake.ts). Undefined if the server has to answer every request itself. */
function handshake() {
  if (!isPlain || argv[0] !== "mcp" || argv[1] !== "serve") return undefined
  try {
    return require(path.join(__dirname, HANDSHAKE)).handshake(argv.slice(2), readBeside)
  } catch {
    return undefined
  }
}

/** Reads a range of a file in this folder. Bytes after the file's end are zero. */
function readBeside(file, offset, sizeBytes) {
  const bytes = Buffer.alloc(sizeBytes)
  const descriptor = fs.openSync(path.join(__dirname, file), fs.constants.O_RDONLY)
  try {
    fs.readSync(descriptor, bytes, 0, sizeBytes, offset)
  } finally {
    fs.closeSync(descriptor)
  }
  return bytes.toString("utf8")
}

/** Runs a plain `exec` (src/cli/quick-exec/quick-exec.ts). Undefined for every other command line, and without a daemon of this build. */
function quickExec() {
  if (!isPlain || process.platform !== "linux" || spelledOut[0] !== "workspace" || spelledOut[1] !== "exec") {
    return undefined
  }
  try {
    // As src/cli/main.ts names this build.
    const build = `${VERSION} (${/-([0-9a-f]{8})/.exec(BUNDLE)[1]})`
    return require(path.join(__dirname, QUICK_EXEC)).quickExec(spelledOut, build, pendingTool())
  } catch {
    return undefined
  }
}

/** Program that tells whether stdin has unread bytes (src/cli/terminal/unread-stdin.ts). */
function pendingTool() {
  return path.join(process.env.PYRO_NATIVE_DIR || path.join(__dirname, ROOT, "native/build"), "pyro-pending")
}

/** One file per bundle, Node version and command: each command gets the functions it uses and no others. Undefined: none on this system. */
function codeCacheFile() {
  const { env } = process
  // Modes of Windows do not say who may write a file, and pyro runs the code in this one.
  if (process.platform === "win32") return undefined
  const base = env.PYRO_CACHE_DIR ||
    path.join(env.XDG_CACHE_HOME || path.join(env.HOME || require("node:os").homedir(), ".cache"), "pyro")
  const [first = "", second = ""] = spelledOut.filter((word) => !word.startsWith("-"))
  // The verbs of workspaces have little in common.
  const words = first === "workspace" ? [first, second] : [first]
  const name = words.every((word) => /^[a-z_]{1,16}$/.test(word)) ? words.join("-") : "other"
  return path.join(base, "code", `${BUNDLE}-${process.version}-${process.arch}-${name}.bin`)
}

/** Reads a code cache. The file must be one that no other user can access, because pyro runs its code. */
function readCodeCache(cacheFile) {
  if (cacheFile === undefined) return undefined
  let descriptor
  try {
    descriptor = fs.openSync(cacheFile, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW)
    const { mode, uid } = fs.fstatSync(descriptor)
    return uid === process.getuid() && (mode & 0o077) === 0 ? fs.readFileSync(descriptor) : undefined
  } catch {
    return undefined
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor)
  }
}

/** A cache that cannot be written costs a tenth of a second at the next start and nothing else. */
function writeCodeCache(cacheFile, script) {
  const directory = path.dirname(cacheFile)
  const unfinished = `${cacheFile}.${process.pid}.tmp`
  try {
    // V8's default values again, also for the flag that src/cli/terminal/process.ts may have set: a code cache is valid only for equal flags.
    const { setFlagsFromString } = require("node:v8")
    for (const flag of ["--flush-bytecode", "--semi-space-growth-factor=2"]) setFlagsFromString(flag)
    // The command itself made the cache directory; Node's `recursive` spins where a parent refuses with ENOENT, as /proc does.
    if (!fs.existsSync(directory)) fs.mkdirSync(directory, { mode: 0o700 })
    fs.writeFileSync(unfinished, script.createCachedData(), { mode: 0o600, flag: "wx" })
    fs.renameSync(unfinished, cacheFile)
    removeStale(directory)
  } catch {
    removeIfThere(unfinished)
  }
}

/** Removes old caches of other bundles, and the oldest ones of many: each build of a checkout makes a new cache. */
function removeStale(directory) {
  const others = fs.readdirSync(directory)
    .filter((name) => name.endsWith(".bin") && !name.startsWith(`${BUNDLE}-`))
    .map((name) => ({ file: path.join(directory, name), writtenAt: fs.statSync(path.join(directory, name)).mtimeMs }))
    .sort((a, b) => b.writtenAt - a.writtenAt)
  const oldest = Date.now() - STALE_DAYS * 86_400_000
  for (const [at, { file, writtenAt }] of others.entries()) {
    if (at >= KEPT_OTHERS || writtenAt < oldest) removeIfThere(file)
  }
}

function removeIfThere(file) {
  try {
    fs.unlinkSync(file)
  } catch {
    // The file does not exist.
  }
}
