/** Where a machine is, for OpenSSH: `ssh://[USER@]HOST[:PORT]`. HOST may be an alias of the person's configuration. */
export interface SshAddress {
  readonly host: string
  readonly user?: string
  readonly port?: number
}

/**
 * Names that no program takes for something else: ssh takes a host that begins with `-` for an option (CVE-2017-1000117), and a shell that the
 * person's ProxyCommand starts reads the characters of `%h` and `%r` (CVE-2023-51385).
 */
const HOST = /^(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])$/
const USER = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/

/** Reads an address. A text: why it is none. */
export const sshAddress = (address: string): SshAddress | string => {
  // The parser of URLs passes over line breaks and tabs.
  const url = /[\s\p{Cc}]/u.test(address) || !URL.canParse(address) ? undefined : new URL(address)
  const more = url && `${url.pathname.replace(/^\/$/, "")}${url.search}${url.hash}`
  if (url?.protocol !== "ssh:" || more !== "") return "an address is ssh://[USER@]HOST[:PORT], and nothing more"
  const { hostname, password, port, username } = url
  if (password !== "") return "a password is never part of an address: ssh asks for it, or knows a key"
  if (username !== "" && !USER.test(username)) return "a user's name has letters, digits, '.', '_' and '-'"
  if (!HOST.test(hostname)) return "a host is a name, an address, or an alias of your SSH configuration"
  if (port === "0") return "a port is a number from 1 to 65535"
  return {
    host: hostname.replace(/^\[|\]$/g, ""),
    ...(username === "" ? {} : { user: username }),
    ...(port === "" ? {} : { port: Number(port) })
  }
}
