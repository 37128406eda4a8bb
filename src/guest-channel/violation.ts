import { escapeGuestText } from "./guest-text.ts"

/**
 * The guest broke a rule of the protocol. Thrown only inside the receive path, which turns it into
 * `ChannelFailed` in one place: it never leaves this folder.
 */
export class Violation extends Error {
  constructor(rule: string, guestText?: Uint8Array) {
    super(guestText === undefined ? rule : `${rule}: "${escapeGuestText(guestText)}"`)
  }
}

/** What was to be sent does not fit in one frame, or cannot be said. Thrown by encoders, told to the caller as a refusal. */
export class Unencodable extends Error {
  readonly errno: "E2BIG" | "EINVAL"
  constructor(errno: "E2BIG" | "EINVAL", detail: string) {
    super(detail)
    this.errno = errno
  }
}
