import { type SshAddress } from "../../contract/text/ssh-address.ts"

/** The person's own settings for a host, as `ssh -G` prints them: a keyword in lower case and its value. */
export type SshSettings = ReadonlyMap<string, string>

export const readSettings = (printed: string): SshSettings =>
  new Map(
    printed.split("\n").flatMap((line) => {
      const [keyword = "", ...values] = line.split(" ")
      return keyword === "" ? [] : [[keyword, values.join(" ")] as const]
    })
  )

/** The words that name the machine. The host comes last, behind `--`, and is no option. */
export const destination = ({ host, port, user }: SshAddress): ReadonlyArray<string> => [
  ...(port === undefined ? [] : ["-p", String(port)]),
  ...(user === undefined ? [] : ["-l", user]),
  "--",
  host
]

/**
 * What the person's configuration may say for sessions of their own, and what a program with messages on stdin and stdout cannot have: a terminal,
 * a command in place of pyro's, forwarded ports that a second connection cannot bind, and an agent that pyro does not need there.
 */
const ALWAYS = [
  "-T",
  ...[
    "RemoteCommand=none",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    "PermitLocalCommand=no",
    "StdinNull=no",
    "ForkAfterAuthentication=no"
  ].flatMap((one) => ["-o", one])
]

/** Seconds without an answer of the server after which ssh asks it, and the number of questions after which the line is lost. */
const ALIVE = { seconds: 5, count: 3 }
const CONNECT_SECONDS = 15
/** How long the login of one command serves the next ones, in seconds. */
const PERSIST_SECONDS = 60

interface Surroundings {
  /** Folder for the sockets of shared connections. Undefined: none fits, or this system's ssh shares none. */
  readonly socketFolder: string | undefined
  /** Whether ssh may ask the person for a passphrase or a new host key. */
  readonly mayAsk: boolean
}

/** Options of a connection. What the person has set stays. */
export const options = (own: SshSettings, { mayAsk, socketFolder }: Surroundings): ReadonlyArray<string> => {
  const isUnset = (keyword: string, unset: string) => (own.get(keyword) ?? unset) === unset
  const isShared = !isUnset("controlpath", "none") || !isUnset("controlmaster", "false")
  return [
    ...ALWAYS,
    ...[
      ...(mayAsk ? [] : ["BatchMode=yes"]),
      ...(isUnset("connecttimeout", "none") ? [`ConnectTimeout=${CONNECT_SECONDS}`] : []),
      ...(isUnset("serveraliveinterval", "0")
        ? [`ServerAliveInterval=${ALIVE.seconds}`, `ServerAliveCountMax=${ALIVE.count}`]
        : []),
      ...(isShared || socketFolder === undefined
        ? []
        : ["ControlMaster=auto", `ControlPath=${socketFolder}/%C`, `ControlPersist=${PERSIST_SECONDS}`])
    ].flatMap((one) => ["-o", one])
  ]
}
