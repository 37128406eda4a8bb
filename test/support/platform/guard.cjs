"use strict"
// node --require: this process is on macOS or on Windows (GUARD_SYSTEM=darwin or win32), and each call that such a computer does not have fails and
// is written to GUARD_REPORT, one line each. Node's path module stays that of Linux, whose file system the tests have.
const fs = require("node:fs")
const net = require("node:net")
const childProcess = require("node:child_process")
const { Module, syncBuiltinESMExports } = require("node:module")

const { GUARD_SYSTEM: platform, GUARD_REPORT: report } = process.env
const isWindows = platform === "win32"
const append = fs.appendFileSync.bind(fs)
const stat = fs.statSync.bind(fs)

/** Only calls of pyro itself count: Node reads files of its own. */
const note = (what) => append(report, `${what}\n${new Error("called").stack.split("\n").slice(2, 9).join("\n")}\n`)
const failure = (code, message) => Object.assign(new Error(`${code}: ${message}`), { code, errno: -1 })

// Files ----------------------------------------------------------------------

const absent = isWindows ? /^\/(proc|sys|dev|run)(\/|$)/ : /^\/(proc|sys|run|dev\/(shm|fd))(\/|$)/
const textOf = (file) => Buffer.isBuffer(file) ? file.toString() : file instanceof URL ? file.pathname : file
/** Node's own outputs and inputs are files beneath /dev on Linux. */
const isAbsent = (file) => typeof file === "string" && absent.test(file)
const isFolder = (file) => {
  try {
    return stat(file).isDirectory()
  } catch {
    return false
  }
}
/** What a function of `node:fs` must not do here. */
const refusal = (name, file) => {
  if (isAbsent(file)) return failure("ENOENT", `no such file or directory, ${name} '${file}'`)
  if (isWindows && /^open(Sync)?$/.test(name) && isFolder(file)) {
    return failure("EISDIR", `illegal operation on a directory, ${name} '${file}'`)
  }
  if (isWindows && /^(l|f)?chown/.test(name)) return failure("ENOSYS", name)
  return undefined
}
const wrap = (holder, isPromise) => {
  for (const name of Object.keys(holder)) {
    const original = holder[name]
    if (typeof original !== "function" || /^[A-Z_]/.test(name)) continue
    const wrapped = function(...args) {
      const refused = refusal(name, textOf(args[0]))
      if (refused === undefined) return original.apply(this, args)
      note(`fs.${name} ${args[0]}`)
      if (name === "existsSync") return false
      if (isPromise) return Promise.reject(refused)
      const done = args.at(-1)
      if (/Sync$/.test(name) || typeof done !== "function") throw refused
      process.nextTick(done, refused)
    }
    holder[name] = Object.assign(wrapped, original)
    const promised = original[require("node:util").promisify.custom]
    if (promised !== undefined) wrapped[require("node:util").promisify.custom] = promised
  }
}
wrap(fs, false)
wrap(fs.promises, true)

// Programs -------------------------------------------------------------------

const programs = new Set(isWindows ? ["ssh", "git"] : ["ssh", "git", "stty", "/bin/sh"])
for (const name of ["spawn", "spawnSync", "execFile", "execFileSync", "exec", "execSync", "fork"]) {
  const original = childProcess[name]
  childProcess[name] = (program, ...rest) => {
    if (!programs.has(program)) {
      note(`child_process.${name} ${program}`)
      throw failure("ENOENT", `spawn ${program}`)
    }
    const options = rest.findLast((one) => typeof one === "object" && one !== null && !Array.isArray(one)) ?? {}
    if (options.shell) note(`child_process.${name} ${program} in a shell`)
    if (options.uid !== undefined || options.gid !== undefined) note(`child_process.${name} ${program} as another user`)
    // The program itself is not guarded.
    return original(program, ...rest)
  }
}

// Sockets --------------------------------------------------------------------

/** Bytes of a socket's address on macOS, with the NUL. */
const ADDRESS_BYTES = 104
const checkAddress = (what, file) => {
  if (typeof file !== "string") return
  if (isWindows ? !/^\\\\[.?]\\pipe\\/.test(file) : Buffer.byteLength(file) >= ADDRESS_BYTES || isAbsent(file)) {
    note(`${what} ${file}`)
  }
}
for (const [holder, name] of [[net, "connect"], [net, "createConnection"], [net.Server.prototype, "listen"]]) {
  const original = holder[name]
  holder[name] = function(...args) {
    checkAddress(`net.${name}`, typeof args[0] === "string" ? args[0] : args[0]?.path)
    return original.apply(this, args)
  }
}

// The process ----------------------------------------------------------------

const define = (name, value) => Object.defineProperty(process, name, { value, configurable: true, writable: true })
define("platform", platform)
define("arch", isWindows ? "x64" : "arm64")
delete process.execve
if (isWindows) {
  for (
    const name of [
      "getuid",
      "geteuid",
      "getgid",
      "getegid",
      "getgroups",
      "setuid",
      "setgid",
      "seteuid",
      "setegid",
      "setgroups",
      "initgroups"
    ]
  ) {
    delete process[name]
  }
  for (const name of ["HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "SHELL", "TERM"]) delete process.env[name]
  const known = new Set(["SIGINT", "SIGTERM", "SIGKILL", "SIGQUIT", "SIGHUP", 0])
  const kill = process.kill.bind(process)
  process.kill = (pid, signal = "SIGTERM") => {
    if (known.has(signal)) return kill(pid, signal)
    note(`process.kill ${signal}`)
    throw failure("ENOSYS", `kill ${signal}`)
  }
}
const { dlopen } = process
process.dlopen = (module, file, ...rest) => {
  note(`process.dlopen ${file}`)
  return dlopen.call(process, module, file, ...rest)
}
const load = Module._load
Module._load = function(request, ...rest) {
  if (/\.node$/.test(request)) note(`require ${request}`)
  return load.call(this, request, ...rest)
}
syncBuiltinESMExports()
