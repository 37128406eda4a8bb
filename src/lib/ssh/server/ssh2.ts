import ssh2 from "ssh2"

// The SSH protocol. The build makes a separate file of this module, which a daemon loads with its first SSH connection.

export const { Server } = ssh2
export const { parseKey } = ssh2.utils
