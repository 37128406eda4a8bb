import { named } from "../../contract/text/names.ts"
import { processEnvironment } from "../settings/config.ts"
import { variables } from "../settings/variables.ts"

/** Variables for the programs that the daemon starts: places, languages and certificates. pyro's own are in the table of variables. */
const OF_PROGRAMS = new Set([
  "USER",
  "LOGNAME",
  "SHELL",
  "LANG",
  "LANGUAGE",
  "TZ",
  "TMPDIR",
  "DOCKER_HOST",
  "NODE_OPTIONS",
  "SSL_CERT_DIR",
  "XDG_CONFIG_HOME",
  "GIT_CONFIG_GLOBAL",
  "GIT_CONFIG_SYSTEM",
  "GIT_CONFIG_NOSYSTEM",
  "ftp_proxy"
])

const isNeeded = (name: string) => name in variables || OF_PROGRAMS.has(name) || name.startsWith("LC_")

/**
 * Variables of this process for the daemon, which outlives the command that starts it. All others stay out: the value of a secret is often
 * in a variable of the shell, and other processes of the user can read the environment of a process.
 */
export const daemonEnvironment = (): NodeJS.ProcessEnv =>
  named(Object.entries(processEnvironment()).filter(([name]) => isNeeded(name)))

/** Variables that make Node load other code, or print its traffic, which may have a secret in a header. */
const REMOVED = new Set(["NODE_OPTIONS", "NODE_DEBUG", "NODE_DEBUG_NATIVE", "NODE_V8_COVERAGE"])

/** Variables of this process for a Node process that handles a guest's traffic. */
export const nodeEnvironment = (): NodeJS.ProcessEnv =>
  named(Object.entries(processEnvironment()).filter(([name]) => !REMOVED.has(name)))
