/** Path of a door's lines. */
export const DOOR_PATH = "/v1/line"

/** Subprotocol of a line to a door: bytes of the form between machines. */
export const DOOR_PROTOCOL = "pyro.portable.1"

/** A prefix that secret scanners know, and 256 random bits in base64url. */
const TOKEN = /^pyro_[A-Za-z0-9_-]{43}$/

/** Whether a text has the form of a token. */
export const isToken = (text: string) => TOKEN.test(text)
